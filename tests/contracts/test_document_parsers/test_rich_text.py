"""RTF: the text of a page as word processors show it."""

import pytest

from backend.adapters.document_parsers import rtf
from backend.core.errors import ParsingError

FONTS = r"{\fonttbl{\f0 Arial;}{\f1\fcharset204{\*\fname A;}A Cyr;}{\f2\fcharset128 Mincho;}}"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (r"a\par b\line c\tab d", "a\n\nb\nc\td"),
        (r"\'e9\'80 {\f1 \'ec\'e0\'ff\'ea} {\f2 \'93\'fa\'96\'7b} \'e9", "é€ маяк 日本 é"),
        (r"\u8364?\u-10179?\u-8704? {\uc2 \u233\'c3\'a9x}\uc0\u233 y", "€😀 éxéy"),
        (r"\{x\} \\ a\~b\_c\-d \ldblquote q\rdblquote  \bullet", "{x} \\ a\xa0b\u2011cd “q” •"),
        (r"a{\*\unknown no}{\pict 0102}{\header no}{\v no}{\deleted no}{\info{\title no}} b", "a b"),
        (r"\trowd\pard\intbl a|x\par z\cell b\cell\row\trowd\intbl c\cell\cell\row\pard after", "a|x z | b\nc\n\nafter"),
        (r"text{\footnote {\chftn} the note\par} goes on", "text  the note  goes on"),
        (r"{\field{\*\fldinst HYPERLINK x}{\fldrslt link}} {\*\shpinst{\sp{\sn no}{\sv 1}}{\shptxt box\par}}", "link\n\nbox"),
        (r"{\upr{a}{\*\ud{b}}}", "a"),
    ],
)
def test_rich_text_becomes_the_text_that_a_reader_sees(body: str, text: str) -> None:
    assert rtf.parse((r"{\rtf1\ansi\ansicpg1252\deff0" + FONTS + r"\pard " + body + "}\r\n\0").encode()).text == text


def test_a_picture_in_bytes_cannot_end_the_text() -> None:
    assert rtf.parse(b"{\\rtf1 a{\\pict\\bin4 }}}\\}b}").text == "ab"


def test_paragraphs_with_an_outline_level_are_headings() -> None:
    parsed = rtf.parse(rb"{\rtf1\pard\outlinelevel0 One\par\pard text\par\pard\outlinelevel1 Two\par}")

    assert parsed.text == "One\n\ntext\n\nTwo"
    assert [(heading.start, heading.level, heading.text) for heading in parsed.headings] == [(0, 1, "One"), (11, 2, "Two")]


@pytest.mark.parametrize("data", [rb"{\rtf1 the first half {\b of", rb"{\rtf1 a\par b", b"<html>a page</html>"])
def test_a_part_is_not_read_as_the_whole(data: bytes) -> None:
    with pytest.raises(ParsingError, match="Save it anew") as refusal:
        rtf.parse(data)

    assert refusal.value.code == "document_unreadable"
