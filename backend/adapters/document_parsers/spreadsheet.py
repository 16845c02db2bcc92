"""Spreadsheets (.xlsx, .xls, .ods), with calamine, a reader in Rust."""

import resource
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from decimal import Decimal
from io import BytesIO

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from backend.adapters.document_parsers import ole, opendocument, sheet_bounds
from backend.adapters.document_parsers.composer import Composer
from backend.adapters.document_parsers.package import damaged, package
from backend.adapters.document_parsers.sheet_rows import lines_of_sheet
from backend.core.errors import ParsingError
from backend.ports.document_parser import ParsedDocument

_PHRASE = "a spreadsheet"
_EXACT = 1e15
_LONGEST_NUMBER = 22
"""Digits. Numbers that need more are written with an exponent."""


def parse(data: bytes) -> ParsedDocument:
    """Read every sheet as a page with its name as the heading, and every row as a line (``sheet_rows``).

    Numbers are written without the noise of their binary form, dates as ISO 8601 writes them. Formulas show the value that was
    saved with them; one that was never calculated, as programs write them, shows itself. Hidden sheets are read, for a reader can
    show them; those that only a macro can show are not.

    Raises:
        ParsingError: ``document_too_complex`` for a sheet that spans too many cells, ``document_encrypted``, or
            ``document_unreadable``, also where a single sheet is damaged.
    """
    formulas = _checked(data)
    composer = Composer()
    try:
        book = CalamineWorkbook.from_filelike(BytesIO(data))
        for sheet in book.sheets_metadata:
            composer.page()
            if sheet.visible is not SheetVisibleEnum.VeryHidden and sheet.typ is SheetTypeEnum.WorkSheet:
                composer.add(sheet.name, level=1)
                for line in lines_of_sheet(_rows(book.get_sheet_by_name(sheet.name), formulas.get(sheet.name, {}))):
                    composer.add(line)
    except PasswordError as error:
        message = "The spreadsheet is protected by a password. Open it, remove the password, save it, and upload that copy."
        raise ParsingError(message, code="document_encrypted") from error
    except (CalamineError, OSError, ValueError, OverflowError) as error:
        raise damaged(_PHRASE) from error
    except BaseException as error:  # A panic of calamine is no Exception, and its class has no name that can be imported.
        if type(error).__name__ == "PanicException":
            raise damaged(_PHRASE) from error
        raise
    return composer.document()


def _checked(data: bytes) -> dict[str, dict[sheet_bounds.Cell, str]]:
    """Refuse what must not reach calamine, and return the formulas without a value, for each sheet."""
    if data.startswith(ole.MARK):
        if not ole.holds(data, *ole.WORKBOOKS):
            raise ole.old_format(data)
        if not ole.complete(data):
            raise damaged(_PHRASE)
        return {}
    with package(data, _PHRASE) as archive:
        names = archive.namelist()
        if archive.testzip() is not None:  # calamine does not compare the checksums.
            raise damaged(_PHRASE)
        if "META-INF/manifest.xml" in names:
            opendocument.check(archive)
            return {}
        memory, _ = resource.getrlimit(resource.RLIMIT_AS)
        return sheet_bounds.uncalculated(archive, memory)


def _rows(sheet: CalamineSheet, formulas: dict[sheet_bounds.Cell, str]) -> Iterator[list[str]]:
    for number, row in enumerate(sheet.iter_rows()):
        yield [_text(cell) or formulas.get((number, column), "") for column, cell in enumerate(row)]


def _text(cell: object) -> str:
    if isinstance(cell, str):
        return cell
    match cell:
        case bool():
            return str(cell).upper()
        case int() | float():
            return _number(cell)
        case datetime() | time():
            return cell.isoformat(timespec="milliseconds" if cell.microsecond else "seconds").replace("T", " ")
        case timedelta():
            return _duration(cell)
    return str(cell)  # A date, as ISO 8601 writes it.


def _number(value: float) -> str:
    """Return at most 15 significant digits, which is what spreadsheets keep, without an exponent where a person writes none."""
    if -_EXACT < value < _EXACT and value == int(value):
        return str(int(value))
    rounded = format(value, ".15g")
    if "e" not in rounded:
        return rounded
    plain = format(Decimal(rounded), "f")
    return plain if len(plain) <= _LONGEST_NUMBER else rounded


def _duration(value: timedelta) -> str:
    seconds = round(abs(value).total_seconds())
    sign = "-" if value < timedelta(0) else ""
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
