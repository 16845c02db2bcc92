"""Spreadsheets: .xlsx by openpyxl, .xls by xlwt, .ods by odfpy."""

from io import BytesIO

from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P
from openpyxl import Workbook
from xlwt import Workbook as OldWorkbook

from tests.documents.real_file import ROWS, SENTENCES, Fact, RealFile, Writers, facts, facts_of_rows

NAMES = ("Ships", "Sentences")


def value(cell: str) -> str | float:
    """Return numbers as numbers, so that the reader has to write them."""
    try:
        return float(cell)
    except ValueError:
        return cell


def found() -> tuple[Fact, ...]:
    return (*facts(NAMES[0], page=1), *facts_of_rows(1, labelled=True), *facts(NAMES[1], *SENTENCES, page=2))


def xlsx() -> RealFile:
    book = Workbook()
    book.remove(book.worksheets[0])
    ships, sentences = (book.create_sheet(name) for name in NAMES)
    for row in ROWS:
        ships.append([value(cell) for cell in row])
    for sentence in SENTENCES:
        sentences.append([sentence])
    file = BytesIO()
    book.save(file)
    return RealFile("ships.xlsx", file.getvalue(), found())


def xls() -> RealFile:
    book = OldWorkbook(encoding="utf-8")
    ships, sentences = (book.add_sheet(name) for name in NAMES)
    for line, row in enumerate(ROWS):
        for column, cell in enumerate(row):
            ships.write(line, column, value(cell))
    for line, sentence in enumerate(SENTENCES):
        sentences.write(line, 0, sentence)
    file = BytesIO()
    book.save(file)
    return RealFile("ships.xls", file.getvalue(), found())


def ods() -> RealFile:
    document = OpenDocumentSpreadsheet()
    for name, rows in zip(NAMES, (ROWS, [(sentence,) for sentence in SENTENCES]), strict=True):
        table = Table(name=name)
        for row in rows:
            line = TableRow()
            for text in row:
                number = value(text)
                cell = TableCell(valuetype="float", value=text) if isinstance(number, float) else TableCell(valuetype="string")
                cell.addElement(P(text=text))
                line.addElement(cell)
            table.addElement(line)
        document.spreadsheet.addElement(table)
    file = BytesIO()
    document.write(file)
    return RealFile("ships.ods", file.getvalue(), found())


FILES: Writers = {"xlsx": xlsx, "xls": xls, "ods": ods}
