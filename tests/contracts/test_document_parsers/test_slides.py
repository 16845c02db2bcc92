"""Presentations: slides are pages, and are read as a person reads them."""

from io import BytesIO
from typing import Any

from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Cm

from tests.contracts.test_document_parsers.files import read
from tests.contracts.test_document_parsers.office_files import PPTX, a_pptx, with_parts

TITLE_AND_BODY, TITLE_ONLY, BLANK = 1, 5, 6


def a_slide(presentation: Any, layout: int = TITLE_ONLY, title: str = "") -> Any:
    slide = presentation.slides.add_slide(presentation.slide_layouts[layout])
    if title:
        slide.shapes.title.text = title
    return slide


def write_deck(presentation: Any) -> None:
    first = a_slide(presentation, TITLE_AND_BODY, "Überblick 😀")
    first.placeholders[1].text = "one\ntwo\vlines"
    first.notes_slide.notes_text_frame.text = "say שלום"
    hidden = a_slide(presentation, TITLE_ONLY, "Hidden")
    hidden._element.set("show", "0")
    a_slide(presentation, BLANK)


async def test_a_slide_is_a_page_with_its_title_its_text_and_its_notes() -> None:
    parsed = await read(a_pptx(write_deck), PPTX)

    assert [(page.number, parsed.text[page.start : page.end]) for page in parsed.pages] == [
        (1, "Überblick 😀\n\none\ntwo\nlines\n\nNotes: say שלום"),
        (2, "Hidden"),
        (3, ""),
    ]
    assert [(h.level, h.text) for h in parsed.headings] == [(1, "Überblick 😀"), (1, "Hidden")]
    assert all(parsed.text[h.start :].startswith(h.text) for h in parsed.headings)


async def test_shapes_are_read_from_top_to_bottom_and_side_by_side_from_left_to_right() -> None:
    def write(presentation: Any) -> None:
        slide = a_slide(presentation, TITLE_ONLY, "Title")
        places = (("last", 1, 15), ("right", 12, 5.2), ("left", 1, 5.4), ("middle", 6, 5))
        for text, left, top in places:
            slide.shapes.add_textbox(Cm(left), Cm(top), Cm(4), Cm(1)).text_frame.text = text
        group = slide.shapes.add_group_shape()
        group.shapes.add_textbox(Cm(1), Cm(11), Cm(4), Cm(1)).text_frame.text = "group, below"
        group.shapes.add_group_shape().shapes.add_textbox(Cm(1), Cm(9), Cm(4), Cm(1)).text_frame.text = "group, above"

    assert " ".join((await read(a_pptx(write), PPTX)).text.split()) == "Title left middle right group, above group, below last"


async def test_tables_and_charts_are_rows() -> None:
    def write(presentation: Any) -> None:
        slide = a_slide(presentation, BLANK)
        table = slide.shapes.add_table(3, 3, Cm(1), Cm(1), Cm(9), Cm(3)).table
        for row, texts in enumerate((("Name", "Age", "日本"), ("Ann\nLee", "7", "x"))):
            for column, text in enumerate(texts):
                table.cell(row, column).text = text
        table.cell(2, 0).merge(table.cell(2, 1))
        table.cell(2, 0).text = "both"
        data: Any = CategoryChartData()  # type: ignore[no-untyped-call]
        data.categories = ["Spring", "Autumn"]
        data.add_series("Sales", (1.5, 2))
        data.add_series("Costs", (3, 4))
        chart = slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, Cm(1), Cm(8), Cm(9), Cm(6), data).chart
        chart.has_title = True
        chart.chart_title.text_frame.text = "By season"

    assert (await read(a_pptx(write), PPTX)).text == (
        "Name | Age | 日本\nAnn Lee | 7 | x\nboth | \n\n"
        "By season\nCategory | Sales | Costs\nCategory: Spring | Sales: 1.5 | Costs: 3\nCategory: Autumn | Sales: 2 | Costs: 4"
    )


def write_three(presentation: Any) -> None:
    for number in range(1, 4):
        a_slide(presentation, TITLE_ONLY, f"Slide {number}")


async def test_the_order_is_that_of_the_presentation_and_not_that_of_the_files() -> None:
    presentation = Presentation(BytesIO(a_pptx(write_three)))
    order = presentation.slides._sldIdLst
    order.insert(0, order[2])
    file = BytesIO()
    presentation.save(file)

    assert (await read(file.getvalue(), PPTX)).text == "Slide 3\n\nSlide 1\n\nSlide 2"


async def test_a_slide_with_alternatives_is_read_once() -> None:
    def wrap(part: bytes) -> bytes:
        compatibility = b'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
        start, end = part.index(b"<p:sp>"), part.rindex(b"</p:sp>") + len(b"</p:sp>")
        shape = part[start:end]
        wrapped = b"<mc:AlternateContent %b><mc:Choice>%b</mc:Choice><mc:Fallback>%b</mc:Fallback></mc:AlternateContent>"
        return part[:start] + wrapped % (compatibility, shape, shape) + part[end:]

    data = with_parts(a_pptx(write_three), {"ppt/slides/slide2.xml": wrap})

    assert (await read(data, PPTX)).text == "Slide 1\n\nSlide 2\n\nSlide 3"
