"""What must be known of a workbook before calamine reads it, for it lays a sheet out in memory from its first cell to its last."""

import re
from html import unescape
from posixpath import join, normpath
from zipfile import ZipFile

from backend.adapters.document_parsers.package import part
from backend.adapters.document_parsers.xml_tree import attribute, every
from backend.core.errors import ParsingError

Cell = tuple[int, int]
"""Row and column, both from 0."""

_MOST_CELLS = 20_000_000
_CELL_BYTES = 32
_REFERENCE = re.compile(
    rb"""<(?:\w+:)?c\s[^<>]*?\br\s*=\s*["']([A-Za-z]{1,3})([0-9]{1,10})["'][^<>]*(?<!/)>"""
    rb"""(?!</|<(?:\w+:)?v\s*/>|<(?:\w+:)?v></)"""
)
"""A cell with something in it; those that only have a style take no memory."""

_FORMULA = re.compile(
    rb"""<(?:\w+:)?c\b[^>]*?\sr="([A-Z]{1,3})([0-9]{1,7})"[^>]*><(?:\w+:)?f\b[^>]*>([^<]+)</(?:\w+:)?f>"""
    rb"""(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?</(?:\w+:)?c>"""
)


def uncalculated(archive: ZipFile, memory_bytes: int) -> dict[str, dict[Cell, str]]:
    """Return the formulas of an .xlsx that have no value, by sheet and cell.

    Raises:
        ParsingError: ``document_too_complex``: a sheet spans more cells than anybody fills.
        MemoryError: It spans more than there is memory for; calamine would end the process.
    """
    found: dict[str, dict[Cell, str]] = {}
    for name, path in _sheets(archive):
        markup = archive.read(path)
        _check_area(markup, memory_bytes)
        if b"<f" in markup or b":f" in markup:
            found[name] = {_cell(m[1], m[2]): "=" + unescape(m[3].decode()) for m in _FORMULA.finditer(markup)}
    return found


def _sheets(archive: ZipFile) -> list[tuple[str, str]]:
    """Return the names of the sheets and of their parts."""
    targets = {
        attribute(relation, "Id"): normpath(join("xl", attribute(relation, "Target"))).lstrip("/")
        for relation in every(part(archive, "xl/_rels/workbook.xml.rels"), "Relationship")
    }
    present = set(archive.namelist())
    sheets = every(part(archive, "xl/workbook.xml"), "sheet")
    named = [(attribute(sheet, "name"), targets.get(attribute(sheet, "id"), "")) for sheet in sheets]
    return [(name, path) for name, path in named if path in present]


def _check_area(markup: bytes, memory_bytes: int) -> None:
    columns: set[bytes] = set()
    first, last = 1 << 32, 0
    for match in _REFERENCE.finditer(markup):
        columns.add(match[1])
        row = int(match[2])
        first, last = min(first, row), max(last, row)
    places = [_cell(letters, b"1")[1] for letters in columns]
    cells = (last - first + 1) * (max(places) - min(places) + 1) if places else 0
    if cells > _MOST_CELLS:
        message = (
            "A sheet of the workbook spans more cells than this server reads. Delete the cells far from its data, and save it anew."
        )
        raise ParsingError(message, code="document_too_complex")
    if memory_bytes > 0 and cells * _CELL_BYTES > memory_bytes // 2:  # Without a limit it is -1.
        raise MemoryError


def _cell(letters: bytes, digits: bytes) -> Cell:
    column = 0
    for letter in letters.upper():
        column = column * 26 + letter - 64
    return int(digits) - 1, column - 1
