import itertools
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.values.document import Chunk
from backend.ports.document_parser import Heading, PageSpan, ParsedDocument
from backend.rag.splitting import TARGET_CHARACTERS, split
from tests.support.pace import LINEAR, growth

SHORT = 250_000
SENTENCE = "The pump is serviced by a technician who knows it, once in every year. "
PIECES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["\n\n", "\n", " ", "A sentence. ", "👨‍👩‍👧", "שלום עולם ", "x" * 300, "東京は首都です。", "é", SENTENCE * 5]),
)


@st.composite
def parsed_documents(draw: st.DrawFn) -> ParsedDocument:
    text = "".join(draw(st.lists(PIECES, max_size=20)))
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=6)))
    pages = tuple(PageSpan(number, start, end) for number, (start, end) in enumerate(itertools.pairwise(cuts), start=1))
    starts = sorted(draw(st.sets(st.integers(0, max(0, len(text) - 1)), max_size=5)))
    return ParsedDocument(
        text, pages, tuple(Heading(start, draw(st.integers(1, 6)), draw(st.text(max_size=8))) for start in starts)
    )


@settings(max_examples=150, deadline=None)
@given(parsed_documents(), st.integers(1, 2000))
def test_every_character_is_in_exactly_one_chunk_at_its_offsets(parsed: ParsedDocument, max_characters: int) -> None:
    chunks = split(parsed, max_characters=max_characters)

    assert all(parsed.text[chunk.start : chunk.end] == chunk.text == chunk.text.strip() != "" for chunk in chunks)
    assert all(before.end <= after.start for before, after in itertools.pairwise(chunks))
    assert "".join("".join(chunk.text.split()) for chunk in chunks) == "".join(parsed.text.split())
    assert all(len(chunk.text) <= max(1, min(TARGET_CHARACTERS, max_characters * 4 // 5)) for chunk in chunks)
    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
    for page in parsed.pages:
        assert all(chunk.end <= page.end for chunk in chunks if page.start <= chunk.start < page.end)


def chunks_of(text: str, *headings: Heading) -> list[Chunk]:
    return split(ParsedDocument(text, headings=headings), max_characters=2000)


def test_chunks_end_with_a_sentence_and_leave_no_crumbs() -> None:
    chunks = chunks_of(SENTENCE * 21)

    assert all(chunk.text.endswith("year.") for chunk in chunks)
    assert min(len(chunk.text) for chunk in chunks) > TARGET_CHARACTERS // 4


def test_a_chunk_knows_its_page_and_the_path_of_its_headings() -> None:
    install, linux, use = "Install\n" + SENTENCE * 6, "Linux\n" + SENTENCE * 8, "Use\n" + SENTENCE * 8
    text = install + linux + use
    headings = (Heading(0, 1, "Install"), Heading(len(install), 2, "Linux"), Heading(len(install + linux), 1, "Use"))
    pages = (PageSpan(1, 0, len(install)), PageSpan(2, len(install), len(text)))

    chunks = split(ParsedDocument(text, pages, headings), max_characters=2000)

    assert [(chunk.page, chunk.heading) for chunk in chunks] == [(1, "Install"), (2, "Install > Linux"), (2, "Use")]


def test_small_neighbouring_sections_share_a_chunk() -> None:
    text = "# A\nshort\n# B\nshort too\n"

    chunks = chunks_of(text, Heading(0, 1, "A"), Heading(10, 1, "B"))

    assert [(chunk.text, chunk.heading) for chunk in chunks] == [(text.strip(), "A")]


def test_a_lone_title_does_not_become_a_chunk() -> None:
    text = "Handbook\nPumps\n" + SENTENCE * 9

    chunks = chunks_of(text, Heading(0, 1, "Handbook"), Heading(9, 2, "Pumps"))

    assert [chunk.text.split("\n")[0] for chunk in chunks] == ["Handbook"]


def test_a_path_of_headings_keeps_what_is_nearest_within_200_characters() -> None:
    chunks = chunks_of("text", *(Heading(0, level, f"{level}" * 90) for level in range(1, 4)))

    assert chunks[0].heading == f"{'2' * 90} > {'3' * 90}"


def a_handbook(length: int) -> ParsedDocument:
    text = (SENTENCE * (length // len(SENTENCE) + 1))[:length]
    pages = tuple(PageSpan(number, number * 2000, (number + 1) * 2000) for number in range(length // 2000))
    headings = tuple(Heading(number * 900, 1 + number % 4, f"H{number}") for number in range(length // 900))
    return ParsedDocument(text, pages, headings)


@pytest.mark.parametrize(
    "of_length",
    [
        a_handbook,
        lambda length: ParsedDocument("x" * length),
        lambda length: ParsedDocument((" " * 999 + "x") * (length // 1000)),
    ],
    ids=["a handbook", "one word", "blanks"],
)
def test_long_documents_take_linear_time(of_length: Callable[[int], ParsedDocument]) -> None:
    documents = {length: of_length(length) for length in (SHORT, 8 * SHORT)}

    assert growth(lambda length: split(documents[length], max_characters=1000), SHORT) < LINEAR
