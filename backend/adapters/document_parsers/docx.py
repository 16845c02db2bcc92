"""Word documents (.docx): python-docx opens the package, and its XML is read in document order."""

import re
import zlib
from collections.abc import Iterator
from io import BytesIO
from lzma import LZMAError
from typing import Any
from zipfile import BadZipFile, ZipFile

from docx import Document
from docx.opc.exceptions import OpcError
from docx.oxml import parse_xml

from backend.adapters.document_parsers.composer import Composer
from backend.core.errors import ParsingError
from backend.ports.document_parser import ParsedDocument

_MOST_PARTS = 10_000
_MOST_BYTES = 200_000_000
_FREE_BYTES = 20_000_000
_MOST_RATIO = 200
"""Of unpacked to packed bytes, past the first 20 MB; documents that people write stay below 50."""

_DAMAGED = (
    BadZipFile, EOFError, OSError, zlib.error, LZMAError, OpcError, KeyError, ValueError, TypeError, AttributeError, SyntaxError,
    NotImplementedError, StopIteration,
)  # fmt: skip
"""What zipfile, lxml (its syntax errors are SyntaxErrors) and python-docx raise on packages that are not as they should be."""

_NO_MEMORY = 2
"""XML_ERR_NO_MEMORY, the ``code`` of a syntax error of lxml that is none."""

_NOTES = ("word/footnotes.xml", "word/endnotes.xml")
_WRAPPERS = frozenset(("body", "sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag", "footnote", "endnote"))
_LEFT_OUT = frozenset(("pPr", "rPr", "tblPr", "trPr", "tcPr", "del", "moveFrom", "Fallback", "rt", "sdtPr"))
_MARKS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_HEADING_NAME = re.compile(r"heading ?([1-9])$", re.IGNORECASE)

Element = Any
"""An element of lxml, which has no types."""


def parse(data: bytes) -> ParsedDocument:
    """Read paragraphs, tables (``cell | cell`` in a line for each row), text boxes, and at the end foot- and endnotes.

    Deleted text of tracked changes, comments, headers and footers are left out. Headings are found by style and outline level.

    Raises:
        ParsingError: ``document_too_complex`` before anything large is unpacked, ``document_encrypted`` or
            ``document_unreadable``.
    """
    try:
        with ZipFile(BytesIO(data)) as package:
            _guard(package, len(data))
            notes = [parse_xml(package.read(name)) for name in _NOTES if name in package.namelist()]
            body, styles = _open(data, package)
    except _DAMAGED as error:
        if getattr(error, "code", None) == _NO_MEMORY:
            raise MemoryError from error
        raise ParsingError("The Word document is damaged or incomplete, so its text cannot be read.") from error
    levels = _levels(styles)
    composer = Composer()
    for part in (body, *notes):
        for block in _inside(part, ("p", "tbl")):
            _add(composer, block, levels)
    return composer.document()


def _guard(package: ZipFile, packed: int) -> None:
    entries = package.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    if len(entries) > _MOST_PARTS or unpacked > _MOST_BYTES or unpacked > _FREE_BYTES + _MOST_RATIO * packed:
        raise ParsingError("The Word document unpacks to far more than its size. Save it anew.", code="document_too_complex")
    if any(entry.flag_bits & 1 for entry in entries):
        message = "The Word document is protected by a password. Upload a copy without one."
        raise ParsingError(message, code="document_encrypted")


def _open(data: bytes, package: ZipFile) -> tuple[Element, Element]:
    """Return the elements of the body and of the styles, without python-docx where it refuses, for instance a dangling link."""
    try:
        document = Document(BytesIO(data))
        body, styles = document.element.body, document.styles.element
        return [] if body is None else body, styles
    except _DAMAGED:
        return next(iter(parse_xml(package.read("word/document.xml")))), ()


def _add(composer: Composer, block: Element, levels: dict[str, int]) -> None:
    if _name(block) == "p":
        composer.add(_text(block), gap="\n\n", level=_level(block, levels))
        return
    gap = "\n\n"
    for row in _inside(block, ("tr",)):
        composer.add(" | ".join(" ".join(_text(cell).split()) for cell in _inside(row, ("tc",))), gap=gap)
        gap = "\n"


def _inside(container: Element, wanted: tuple[str, ...]) -> Iterator[Element]:
    """Yield the wanted children, also those inside of content controls and tracked insertions."""
    for child in container:
        name = _name(child)
        if name in wanted:
            yield child
        elif name in _WRAPPERS:
            yield from _inside(child, wanted)


def _text(element: Element) -> str:
    """Return all text under an element, in order; paragraphs inside of it (cells, text boxes) begin a new line."""
    pieces: list[str] = []
    waiting = list(reversed(element))
    while waiting:
        child = waiting.pop()
        name = _name(child)
        if name == "t":
            pieces.append(child.text or "")
        elif name in _MARKS:
            pieces.append(_MARKS[name])
        elif name not in _LEFT_OUT:
            if name == "p":
                pieces.append("\n")
            waiting.extend(reversed(child))
    return "".join(pieces).strip("\n")


def _level(paragraph: Element, levels: dict[str, int]) -> int | None:
    properties = _child(paragraph, "pPr")
    outline = _value(properties, "outlineLvl")
    if outline.isdecimal():
        return int(outline) + 1 if int(outline) < 9 else None
    style = _value(properties, "pStyle")
    by_id = _HEADING_NAME.match(style)
    return levels.get(style) or (int(by_id[1]) if by_id else None)


def _levels(styles: Element) -> dict[str, int]:
    """Map the ids of styles to levels: by their built-in names, which are English everywhere, by outline level, or inherited."""
    levels: dict[str, int] = {}
    parents: dict[str, str] = {}
    for style in styles:
        style_id, level = _attribute(style, "styleId"), _own_level(style)
        if level is None:
            parents[style_id] = _value(style, "basedOn")
        else:
            levels[style_id] = level
    for style_id, parent in parents.items():
        ancestor = parent
        for _ in range(10):  # Word allows eleven generations; a circle must end.
            ancestor = parents.get(ancestor, ancestor)
        if ancestor in levels:
            levels[style_id] = levels[ancestor]
    return levels


def _own_level(style: Element) -> int | None:
    name = _value(style, "name")
    if match := _HEADING_NAME.match(name):
        return int(match[1])
    outline = _value(_child(style, "pPr"), "outlineLvl")
    if outline.isdecimal() and int(outline) < 9:
        return int(outline) + 1
    return 1 if name.lower() == "title" else None


def _name(element: Element) -> str:
    """Return the name without its namespace: Word writes two families of them. Comments have none."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _child(element: Element, name: str) -> Element:
    """Return the first child of this name, or an empty tuple, which has no children either."""
    return next((child for child in element if _name(child) == name), ())


def _value(element: Element, name: str) -> str:
    child = _child(element, name)
    return "" if child == () else _attribute(child, "val")


def _attribute(element: Element, name: str) -> str:
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")
