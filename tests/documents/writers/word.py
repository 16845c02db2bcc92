"""Texts of word processors: .docx by python-docx, .odt by odfpy."""

from io import BytesIO

from docx import Document
from odf.opendocument import OpenDocumentText
from odf.table import Table, TableCell, TableRow
from odf.text import H, P

from tests.documents.real_file import KEEPER, ROWS, SENTENCES, RealFile, Writers, facts, facts_of_rows

TITLE = "The log of the tower 🏮"


def docx() -> RealFile:
    document = Document()
    document.add_heading(TITLE, 1)
    for sentence in SENTENCES:
        document.add_paragraph(sentence)
    table = document.add_table(rows=0, cols=len(ROWS[0]))
    for row in ROWS:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    file = BytesIO()
    document.save(file)
    return RealFile("log.docx", file.getvalue(), (*facts(TITLE, *SENTENCES), *facts_of_rows(labelled=False)))


def odt() -> RealFile:
    document = OpenDocumentText()
    document.text.addElement(H(outlinelevel=1, text=TITLE))
    for sentence in SENTENCES:
        document.text.addElement(P(text=sentence))
    table = Table(name="Ships")
    for row in ROWS:
        line = TableRow()
        for text in row:
            cell = TableCell(valuetype="string")
            cell.addElement(P(text=text))
            line.addElement(cell)
        table.addElement(line)
    document.text.addElement(table)
    file = BytesIO()
    document.write(file)
    return RealFile("log.odt", file.getvalue(), (*facts(TITLE, KEEPER, *SENTENCES), *facts_of_rows(labelled=False)))


FILES: Writers = {"docx": docx, "odt": odt}
