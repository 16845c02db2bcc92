"""Chunks that touch become one passage, and a passage that gives way does so chunk by chunk."""

from dataclasses import replace
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.ports.chat_model import Passage
from backend.rag.joining import GAP_CHARACTERS, joined, strongest, touching
from backend.rag.packing import pack
from backend.rag.situation import Situation

ONE, OTHER = UUID(int=1), UUID(int=2)
TEXT = "First page, first words.\n\nFirst page, last words.\n\n\n\nSecond page.  Far away" + " " * 40 + "The end."
PIECES = ("First page, first words.", "First page, last words.", "Second page.", "Far away", "The end.")


def chunk(number: int, *, document: UUID = ONE, version: int = 1, score: float = 0.5) -> Passage:
    """Return a chunk of the text by its number in the text; the third and later are on page 2."""
    start = TEXT.index(PIECES[number])
    return Passage(
        0,
        UUID(int=10 * document.int + number),
        document,
        "Manual",
        1 if number < 2 else 2,
        f"Heading {number}",
        start,
        start + len(PIECES[number]),
        PIECES[number],
        score,
        version,
    )


def passages_of(*chunks: Passage, room: int = 100) -> tuple[Passage, ...]:
    runs = touching(chunks, room=room)
    return joined(runs, {run: TEXT[run[0].start : max(part.end for part in run)] for run in runs if len(run) > 1})


def test_chunks_that_touch_are_one_passage_with_the_documents_own_text_between_them() -> None:
    passage, far, other, older = passages_of(
        chunk(2, score=0.9), chunk(4, score=0.8), chunk(1, document=OTHER, score=0.7), chunk(1, version=2, score=0.6), chunk(1)
    )

    assert (passage.start, passage.end) == (chunk(1).start, chunk(2).end)
    assert passage.text == TEXT[passage.start : passage.end] == "First page, last words.\n\n\n\nSecond page."
    assert (passage.score, passage.chunk_id, passage.page, passage.heading) == (0.9, chunk(2).chunk_id, 1, "Heading 1")
    assert [one.marker for one in (passage, far, other, older)] == [1, 2, 3, 4]
    assert (far.text, other.document_id, older.version) == ("The end.", OTHER, 2)


def test_a_passage_knows_the_page_and_the_heading_of_every_place() -> None:
    (passage,) = passages_of(chunk(0), chunk(1), chunk(2))

    found = {word: passage.at(TEXT.index(word)) for word in ("First", "last", "Second")}
    assert {word: (part.page, part.heading) for word, part in found.items()} == {
        "First": (1, "Heading 0"),
        "last": (1, "Heading 1"),
        "Second": (2, "Heading 2"),
    }
    assert chunk(3).at(chunk(3).end - 1) == chunk(3)


def test_overlapping_chunks_repeat_nothing() -> None:
    whole = chunk(0)
    wide = replace(chunk(1), start=whole.end - 6, text=TEXT[whole.end - 6 : chunk(1).end])

    (passage,) = passages_of(whole, wide, room=0)

    assert passage.text == TEXT[: chunk(1).end]


def test_what_lies_between_takes_room_too() -> None:
    assert len(passages_of(chunk(0), chunk(1), room=1)) == 2
    assert len(passages_of(chunk(0), chunk(1), room=2)) == 1
    assert len(passages_of(chunk(0), chunk(1), chunk(2), room=3)) == 2, "there is room for the first gap only"
    assert chunk(4).start - chunk(3).end > GAP_CHARACTERS
    assert len(passages_of(chunk(3), chunk(4), room=1000)) == 2


def test_a_run_whose_text_is_gone_stays_apart() -> None:
    assert [passage.text for passage in joined(touching([chunk(1, score=0.6), chunk(0)], room=9), {})] == [PIECES[1], PIECES[0]]


def test_in_a_small_window_the_weakest_chunk_of_a_joined_passage_gives_way_and_not_the_passage() -> None:
    passages = passages_of(chunk(2, score=0.9), chunk(4, score=0.8), chunk(0, score=0.7), chunk(1, score=0.1))
    assert [(passage.marker, len(passage.chunks)) for passage in passages] == [(1, 3), (2, 1)]

    three = strongest(passages, 3)
    assert [(passage.marker, passage.text) for passage in three] == [(1, "Second page."), (2, "The end."), (3, PIECES[0])]
    assert [(passage.marker, passage.text) for passage in strongest(passages, 1)] == [(1, "Second page.")]

    whole = pack("Why?", [], passages, window=4000, reserve=100, situation=Situation())
    assert (whole.prompt.passages, whole.dropped_passages) == (passages, 0)
    less = pack("Why?", [], passages, window=whole.used_tokens + 99, reserve=100, situation=Situation())
    assert (less.prompt.passages, less.dropped_passages) == (strongest(passages, 2), 2), "three pieces cost more than all in two"


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from([0.2, 0.5, 0.8])), min_size=1, max_size=5, unique_by=lambda x: x[0]))
def test_whatever_stays_is_the_documents_own_text_under_markers_of_its_own(chosen: list[tuple[int, float]]) -> None:
    best_first = sorted(chosen, key=lambda one: -one[1])
    passages = passages_of(*(chunk(number, score=score) for number, score in best_first))

    for count in range(len(chosen) + 1):
        left = strongest(passages, count)
        assert sum(len(passage.chunks) for passage in left) == count
        assert len({passage.marker for passage in left}) == len(left)
        assert all(passage.text == TEXT[passage.start : passage.end] for passage in left)
        assert [passage.score for passage in left] == sorted((passage.score for passage in left), reverse=True)
