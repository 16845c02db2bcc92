"""Spreadsheets that claim, repeat, nest or lie."""

from collections.abc import Callable, Iterator
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

from tests.contracts.test_document_parsers.office_files import ODS, declared
from tests.security.hostile.attack import Attack, lazily
from tests.security.hostile.packages import HONEST, SHEET, put

_OPEN_DOCUMENT = "urn:oasis:names:tc:opendocument:xmlns"
NAMESPACES = " ".join(f'xmlns:{name}="{_OPEN_DOCUMENT}:{name}:1.0"' for name in ("office", "text", "table"))
_FIRST = b'<c r="A1"'
_FAR = b' t="inlineStr"><is><t>far</t></is></c><c r="A1"'


def _far(place: bytes) -> bytes:
    return put("sums.xlsx", SHEET, _FIRST, b'<c r="' + place + b'"' + _FAR)


def _with_strings(strings: bytes) -> bytes:
    file = BytesIO(HONEST["sums.xlsx"])
    with ZipFile(file, "a", ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", strings)
    return file.getvalue()


def _ods(rows: str) -> bytes:
    content = (
        f"<office:document-content {NAMESPACES}><office:body><office:spreadsheet><table:table table:name='t'>{rows}</table:table>"
        "</office:spreadsheet></office:body></office:document-content>"
    )
    return declared(ODS, {"content.xml": content.encode(), "META-INF/manifest.xml": b"<manifest/>"})


def _row(columns: int = 1, rows: int = 1) -> str:
    return (
        f"<table:table-row table:number-rows-repeated='{rows}'><table:table-cell office:value-type='string' "
        f"table:number-columns-repeated='{columns}'><text:p>seen</text:p></table:table-cell></table:table-row>"
    )


def _workbooks() -> dict[str, Callable[[], bytes]]:
    merged = b"<mergeCells>" + b'<mergeCell ref="A1:XFD1048576"/>' * 100_000 + b"</mergeCells>"
    return {
        "17 billion cells": lambda: _far(b"XFD1048576"),
        "15 million cells": lambda: _far(b"XFD900"),
        "a row of ten digits": lambda: _far(b"A9999999999"),
        "row zero": lambda: _far(b"A0"),
        "a cell that hides its place": lambda: _far(b"&#88;FD1048576"),
        "it says that it is huge": lambda: put("sums.xlsx", SHEET, b'ref="A1:', b'ref="A1:XFD1048576" x="'),
        "strings without end, it says": lambda: _with_strings(b'<sst count="4294967295" uniqueCount="18446744073709551615"/>'),
        "a string that is not there": lambda: put("sums.xlsx", SHEET, _FIRST, b'<c r="C1" t="s"><v>4294967295</v></c>' + _FIRST),
        "a part that unpacks to 150 MB": lambda: put("sums.xlsx", SHEET, _FIRST, b" " * 150_000_000 + _FIRST),
        "a part that unpacks to 15 MB": lambda: put("sums.xlsx", SHEET, _FIRST, b" " * 15_000_000 + _FIRST),
        "a hundred thousand merged areas": lambda: put("sums.xlsx", SHEET, b"</sheetData>", b"</sheetData>" + merged),
        "rows nested 100,000 deep": lambda: put("sums.xlsx", SHEET, b"<sheetData>", b"<sheetData>" + b"<row>" * 100_000),
        "formulas without end": lambda: put("sums.xlsx", SHEET, _FIRST, b'<c r="C1"><f>' * 100_000 + _FIRST),
        "a sheet of formulas": lambda: put("sums.xlsx", SHEET, _FIRST, b'<c r="C1"><f>A1</f></c>' * 100_000 + _FIRST),
        "names that are patterns": lambda: put("sums.xlsx", SHEET, _FIRST, b"<c " + b"r " * 500_000 + _FIRST),
        "a sheet 5,000 times": lambda: put(
            "sums.xlsx", "xl/workbook.xml", b"</sheets>",
            b"".join(b'<sheet name="s%d" sheetId="1" r:id="rId1" '
                     b'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"/>' % n for n in range(5000))
            + b"</sheets>",
        ),
        "relations that climb": lambda: put("sums.xlsx", "xl/_rels/workbook.xml.rels", b"worksheets/", b"../../../../etc/passwd/"),
    }  # fmt: skip


def attacks() -> Iterator[Attack]:
    for name, write in _workbooks().items():
        yield Attack(f"xlsx: {name}", "sums.xlsx", lazily(write))
    old: dict[str, Callable[[], bytes]] = {
        "nothing but the mark": lambda: HONEST["sums.xls"][:8] + bytes(100_000),
        "sectors in a circle": lambda: HONEST["sums.xls"][:512] + b"\1\0\0\0" * 10_000,
        "a table of tables in a circle": lambda: HONEST["sums.xls"][:68] + bytes(8) + HONEST["sums.xls"][76:],
        "sectors of no size": lambda: HONEST["sums.xls"][:30] + b"\0\0" + HONEST["sums.xls"][32:],
    }
    for name, write in old.items():
        yield Attack(f"xls: {name}", "sums.xls", lazily(write))
    open_document: dict[str, Callable[[], bytes]] = {
        "four billion rows": lambda: _ods(_row(rows=4_000_000_000)),
        "a billion columns": lambda: _ods(_row(columns=1_000_000_000)),
        "a full sheet": lambda: _ods(_row(columns=16_384, rows=1_048_576)),
        "cells at both ends": lambda: _ods(_row(columns=16_384) + _row(rows=1_048_575)),
        "a thousand sheets in a row": lambda: _ods(_row() + "</table:table><table:table table:name='t'>" * 1000 + _row()),
    }
    for name, write in open_document.items():
        yield Attack(f"ods: {name}", "sums.ods", lazily(write))
