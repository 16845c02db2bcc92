"""Presentations: .pptx by python-pptx, .odp by odfpy."""

from io import BytesIO

from odf.draw import Frame, Page, TextBox
from odf.opendocument import OpenDocumentPresentation
from odf.style import MasterPage, PageLayout
from odf.text import P
from pptx import Presentation
from pptx.util import Inches

from tests.documents.real_file import ROWS, SENTENCES, Fact, RealFile, Writers, facts, facts_of_rows


def pptx() -> RealFile:
    presentation = Presentation()
    found: list[Fact] = []
    for number, sentence in enumerate(SENTENCES, start=1):
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text = f"Night {number}"
        slide.placeholders[1].text = sentence
        slide.notes_slide.notes_text_frame.text = f"Remember night {number} 🏮"
        found += facts(f"Night {number}", sentence, f"Remember night {number} 🏮", page=number)
    slide = presentation.slides.add_slide(presentation.slide_layouts[5])
    shape = slide.shapes.add_table(len(ROWS), len(ROWS[0]), Inches(1), Inches(2), Inches(6), Inches(2))
    for line, row in enumerate(ROWS):
        for column, text in enumerate(row):
            shape.table.cell(line, column).text = text
    file = BytesIO()
    presentation.save(file)
    return RealFile("nights.pptx", file.getvalue(), (*found, *facts_of_rows(len(SENTENCES) + 1, labelled=False)))


def odp() -> RealFile:
    document = OpenDocumentPresentation()
    layout = PageLayout(name="layout")
    document.automaticstyles.addElement(layout)
    master = MasterPage(name="master", pagelayoutname=layout)
    document.masterstyles.addElement(master)
    found: list[Fact] = []
    for number, sentence in enumerate(SENTENCES, start=1):
        page = Page(masterpagename=master)
        frame = Frame(width="20cm", height="5cm", x="1cm", y="1cm")
        box = TextBox()
        box.addElement(P(text=sentence))
        frame.addElement(box)
        page.addElement(frame)
        document.presentation.addElement(page)
        found += facts(sentence, page=number)
    file = BytesIO()
    document.write(file)
    return RealFile("nights.odp", file.getvalue(), tuple(found))


FILES: Writers = {"pptx": pptx, "odp": odp}
