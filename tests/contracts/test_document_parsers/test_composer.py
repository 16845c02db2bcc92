"""How parsers put a document together."""

from backend.adapters.document_parsers.composer import Composer
from backend.ports.document_parser import Heading, PageSpan, ParsedDocument


def test_pages_are_spans_of_the_text_and_empty_ones_stay_in_order() -> None:
    composer = Composer()
    for lines in ((), ("one", "two"), (), (" ",), ("three",), ()):
        composer.page()
        for line in lines:
            composer.add(line)

    parsed = composer.document()

    assert parsed.text == "one\ntwo\n\nthree"
    assert parsed.pages == (
        PageSpan(1, 0, 0),
        PageSpan(2, 0, 7),
        PageSpan(3, 7, 7),
        PageSpan(4, 7, 7),
        PageSpan(5, 9, 14),
        PageSpan(6, 14, 14),
    )


def test_a_document_that_is_appended_keeps_its_headings_and_loses_its_pages() -> None:
    composer = Composer()
    composer.add("before", level=1)
    composer.append(ParsedDocument("a\n\nTitle", (PageSpan(1, 0, 8),), (Heading(3, 2, "Title"),)))
    composer.append(ParsedDocument(" \n"))
    composer.add("after")

    parsed = composer.document()

    assert parsed == ParsedDocument("before\n\na\n\nTitle\nafter", (), (Heading(0, 1, "before"), Heading(11, 2, "Title")))
