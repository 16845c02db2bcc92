"""OpenDocument texts and presentations."""

from typing import Any

from odf.draw import Frame, Page, TextBox
from odf.office import Annotation
from odf.opendocument import OpenDocumentPresentation
from odf.presentation import Notes
from odf.style import Footer, Header, MasterPage, PageLayout
from odf.table import CoveredTableCell, Table, TableCell, TableRow
from odf.text import H, LineBreak, List, ListItem, Note, NoteBody, NoteCitation, P, S, Section, Span, Tab

from tests.contracts.test_document_parsers.files import read
from tests.contracts.test_document_parsers.office_files import ODP, ODT, an_odt, declared, saved

OFFICE = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
)


def a_cell(text: str, kind: Any = TableCell, **attributes: Any) -> Any:
    cell = kind(**attributes)
    cell.addElement(P(text=text))
    return cell


def write_report(document: Any) -> None:
    text = document.text
    text.addElement(H(outlinelevel=1, text="Bericht 😀"))
    paragraph = P(text="Some ")
    paragraph.addElement(Span(text="bold"))
    for element in (Tab(), S(c=3), Span(text="שלום"), LineBreak(), Span(text="日本語")):
        paragraph.addElement(element)
    text.addElement(paragraph)
    section = Section(name="s")
    section.addElement(H(outlinelevel=2, text="In a section"))
    items = List()
    for word in ("first", "second"):
        item = ListItem()
        item.addElement(P(text=word))
        items.addElement(item)
    section.addElement(items)
    text.addElement(section)
    table = Table(name="t")
    for cells in (
        (a_cell("Name"), a_cell("Age")),
        (a_cell("both", numbercolumnsspanned=2), CoveredTableCell()),
        (a_cell("x", numbercolumnsrepeated=2),),
    ):
        row = TableRow()
        for cell in cells:
            row.addElement(cell)
        table.addElement(row)
    text.addElement(table)
    text.addElement(P(text="After the table"))


async def test_a_text_is_read_in_order_with_lists_tables_and_headings() -> None:
    parsed = await read(an_odt(write_report), ODT)

    assert parsed.text == (
        "Bericht 😀\n\nSome bold\t   שלום\n日本語\n\nIn a section\n\nfirst\n\nsecond\n\nName | Age\nboth\nx | x\n\nAfter the table"
    )
    assert [(h.level, h.text) for h in parsed.headings] == [(1, "Bericht 😀"), (2, "In a section")]
    assert all(parsed.text[h.start :].startswith(h.text) for h in parsed.headings)


def write_asides(document: Any) -> None:
    layout = PageLayout(name="layout")
    document.automaticstyles.addElement(layout)
    for name in ("One", "Two"):
        master = MasterPage(name=name, pagelayoutname=layout)
        for kind, text in ((Header, "Top of every page"), (Footer, "Bottom")):
            margin = kind()
            margin.addElement(P(text=text))
            master.addElement(margin)
        document.masterstyles.addElement(master)
    paragraph = P(text="Noted")
    note = Note(noteclass="footnote", id="n")
    note.addElement(NoteCitation(text="1"))
    body = NoteBody()
    body.addElement(P(text="the note"))
    note.addElement(body)
    comment = Annotation()
    comment.addElement(P(text="a remark"))
    paragraph.addElement(note)
    paragraph.addElement(comment)
    paragraph.addText(" and commented.")
    document.text.addElement(paragraph)
    frame = Frame(name="f")
    box = TextBox()
    box.addElement(P(text="in a box"))
    frame.addElement(box)
    anchor = P()
    anchor.addElement(frame)
    document.text.addElement(anchor)


async def test_notes_comments_headers_and_footers_come_once_at_the_end() -> None:
    assert (await read(an_odt(write_asides), ODT)).text == (
        "Noted1 and commented.\n\nin a box\n\nthe note\n\nComment: a remark\n\nTop of every page\n\nBottom"
    )


async def test_deleted_text_and_white_space_of_the_file_are_left_out() -> None:
    content = (
        f"<office:document-content {OFFICE}><office:body><office:text><text:tracked-changes><text:changed-region><text:deletion>"
        "<text:p>deleted</text:p></text:deletion></text:changed-region></text:tracked-changes>\n  <text:p>one\n     two<!-- no -->"
        " three</text:p>\n</office:text></office:body></office:document-content>"
    )

    assert (await read(declared(ODT, {"content.xml": content.encode()}), ODT)).text == "one two three"


PRESENTATION = "urn:oasis:names:tc:opendocument:xmlns:presentation:1.0"


def a_frame(text: str, kind: str) -> Any:
    frame = Frame(width="5cm", height="1cm", x="1cm", y="1cm")
    frame.setAttrNS(PRESENTATION, "class", kind)
    box = TextBox()
    box.addElement(P(text=text))
    frame.addElement(box)
    return frame


async def test_slides_are_pages_with_titles_and_notes() -> None:
    document = OpenDocumentPresentation()
    layout = PageLayout(name="layout")
    document.automaticstyles.addElement(layout)
    master = MasterPage(name="Default", pagelayoutname=layout)
    document.masterstyles.addElement(master)
    for number in (1, 2):
        page = Page(masterpagename=master)
        page.addElement(a_frame(f"point {number}", "outline"))
        page.addElement(a_frame(f"Slide {number}", "title"))
        notes = Notes()
        notes.addElement(a_frame("say it", "notes"))
        page.addElement(notes)
        document.presentation.addElement(page)

    parsed = await read(saved(document), ODP)

    assert [parsed.text[page.start : page.end] for page in parsed.pages] == [
        f"Slide {number}\n\npoint {number}\n\nNotes: say it" for number in (1, 2)
    ]
    assert [heading.text for heading in parsed.headings] == ["Slide 1", "Slide 2"]
