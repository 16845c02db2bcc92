"""Sheets, slides, OpenDocument files and books that the tests write with other libraries."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import xlwt
from odf.opendocument import OpenDocument, OpenDocumentSpreadsheet, OpenDocumentText
from odf.table import Table, TableCell, TableRow
from odf.text import P
from openpyxl import Workbook
from pptx import Presentation

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
XLS = "application/vnd.ms-excel"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
ODS = "application/vnd.oasis.opendocument.spreadsheet"
ODT = "application/vnd.oasis.opendocument.text"
ODP = "application/vnd.oasis.opendocument.presentation"
EPUB = "application/epub+zip"

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def saved(document: Any) -> bytes:
    file = BytesIO()
    document.save(file)
    return file.getvalue()


def an_xlsx(write: Callable[[Any], None]) -> bytes:
    """A workbook of openpyxl, which saves formulas without their values."""
    workbook = Workbook()
    write(workbook)
    return saved(workbook)


def a_sheet(rows: Sequence[Sequence[Any]]) -> bytes:
    def write(workbook: Any) -> None:
        for row in rows:
            workbook.active.append(row)

    return an_xlsx(write)


def an_xls(rows: Sequence[Sequence[Any]]) -> bytes:
    workbook = xlwt.Workbook()
    sheet = workbook.add_sheet("Sheet")
    day = xlwt.easyxf(num_format_str="yyyy-mm-dd")
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            if isinstance(cell, date | datetime):
                sheet.write(number, column, cell, day)
            else:
                sheet.write(number, column, cell)
    return saved(workbook)


def an_ods(rows: Sequence[Sequence[str]]) -> bytes:
    document = OpenDocumentSpreadsheet()
    table = Table(name="Sheet")
    document.spreadsheet.addElement(table)
    for row in rows:
        line = TableRow()
        table.addElement(line)
        for text in row:
            cell = TableCell(valuetype="string")
            cell.addElement(P(text=text))
            line.addElement(cell)
    return saved(document)


def an_odt(write: Callable[[OpenDocument], None]) -> bytes:
    document = OpenDocumentText()
    write(document)
    return saved(document)


def a_pptx(write: Callable[[Any], None]) -> bytes:
    presentation = Presentation()
    write(presentation)
    return saved(presentation)


CONTAINER = b"""<?xml version="1.0"?><container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0">
<rootfiles><rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/></rootfiles></container>"""


def an_epub(chapters: Sequence[str], **more: bytes) -> bytes:
    """A book whose parts are listed in another order than they are read in; ``more`` are files of META-INF."""
    order = range(len(chapters))
    items = (f'<item id="c{n}" href="text/chapter%20{n}.xhtml" media-type="application/xhtml+xml"/>' for n in reversed(order))
    spine = (f'<itemref idref="c{n}"/>' for n in order)
    listing = f'<package xmlns="http://www.idpf.org/2007/opf"><manifest>{"".join(items)}</manifest><spine>{"".join(spine)}</spine></package>'
    parts = {"META-INF/container.xml": CONTAINER, "OEBPS/content.opf": listing.encode()}
    parts |= {f"META-INF/{name}.xml": content for name, content in more.items()}
    for number, chapter in enumerate(chapters):
        page = f'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title>t</title></head><body>{chapter}</body></html>'
        parts[f"OEBPS/text/chapter {number}.xhtml"] = page.encode()
    return declared(EPUB, parts)


def declared(media_type: str, parts: dict[str, bytes]) -> bytes:
    """An archive that begins with its type, as OpenDocument and EPUB do."""
    file = BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", media_type, ZIP_STORED)
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def with_parts(data: bytes, changed: dict[str, Callable[[bytes], bytes]]) -> bytes:
    """A copy of an archive in which some parts are written anew."""
    file = BytesIO()
    with ZipFile(BytesIO(data)) as old, ZipFile(file, "w", ZIP_DEFLATED) as new:
        for entry in old.infolist():
            content = old.read(entry)
            new.writestr(entry, changed[entry.filename](content) if entry.filename in changed else content)
    return file.getvalue()
