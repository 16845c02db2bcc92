import itertools
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.ports.chat_model import Passage
from backend.rag.citations import Citation, MarkerFilter, resolve
from backend.rag.citations.scanning import HELD_CHARACTERS, Scanner

PUMP = "The pump was built in 1987 by Acme. It is blue, as all pumps are.\nIt must be serviced every two years. Call a technician."


def filtered(text: str, *, known: tuple[int, ...] = (1, 2)) -> str:
    markers = MarkerFilter(known)
    return markers.feed(text) + markers.finish()


def passage(marker: int, text: str = PUMP, start: int = 100) -> Passage:
    return Passage(marker, UUID(int=marker), UUID(int=9), "Manual", 1, None, start, start + len(text), text, 1.0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Blue [1]. Old [1, 2], new【2】 and [ 1;1 ].", "Blue [1]. Old [1][2], new[2] and [1]."),
        ("Invented [7]. And [1, 9] [8][2].", "Invented. And [1] [2]."),
        ("Ends so [9]", "Ends so"),
        ("Source 【1†L3-L5】.", "Source [1]."),
        (
            "See [see], a[i], [x](http://y), [ ], [], [2024], [0], [1.5].",
            "See [see], a[i], [x](http://y), [ ], [], [2024], [0], [1.5].",
        ),
        ("A link [7](http://evil) is no citation", "A link [7](http://evil) is no citation"),
        ("my_list[7] and my_grid[7][8] are indexes", "my_list[7] and my_grid[7][8] are indexes"),
        ("Paris[7], _Rome_[8], in 1987[9] and (so)[7]; Oslo[1, 7].", "Paris, _Rome_, in 1987 and (so); Oslo[1]."),
        ("[[9]7] 【7†a[9]】 `b`[9]`c`", "[[]7] 【7†a[]】 `b` `c`"),
        ("`x [7]` and ``a`[7]`` but [7] not", "`x [7]` and ``a`[7]`` but not"),
        ("```\nx = [7]\n\ny = [8]\n```\nText [7].", "```\nx = [7]\n\ny = [8]\n```\nText."),
        (
            "A stray ` opens code up to the line's end [7]\nnot here [7].",
            "A stray ` opens code up to the line's end [7]\nnot here.",
        ),
        ("Open [1", "Open [1"),
        ("Open [1, [2] x", "Open [1, [2] x"),
        ("[1" + " " * 40 + "]", "[1" + " " * 40 + "]"),
    ],
)
def test_only_markers_of_given_passages_come_through(text: str, expected: str) -> None:
    assert filtered(text) == expected


def test_invented_markers_are_counted() -> None:
    markers = MarkerFilter([1])
    markers.feed("One [1], two [2, 3] and [1].")
    markers.finish()

    assert markers.invented == 2


@given(
    st.lists(st.sampled_from(["[", "]", "1", "2", "7", ",", ";", " ", "【", "】", "†", "(", "`", "```", "\n", "a", "é", ". "])),
    st.data(),
)
def test_the_output_does_not_depend_on_the_cuts(tokens: list[str], data: st.DataObject) -> None:
    text = "".join(tokens)
    cuts = [0, *sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5))), len(text)]
    markers = MarkerFilter([1, 2])

    pieces = [markers.feed(text[start:end]) for start, end in itertools.pairwise(cuts)]

    assert "".join(pieces) + markers.finish() == filtered(text)


@given(st.lists(st.sampled_from(["[", "]", "1", "7", "[7]", "[9]", "[1]", ",", " ", "【", "】", "†", "`", "``", "\n", "a", "_"])))
def test_removing_a_marker_makes_no_other(tokens: list[str]) -> None:
    scanner = Scanner()
    shown = filtered("".join(tokens))

    assert {n for part in [*scanner.feed(shown), *scanner.finish()] if not part.attached for n in part.numbers} <= {1, 2}


def test_text_is_let_through_at_once_but_for_a_possible_marker() -> None:
    markers = MarkerFilter([1])

    assert [markers.feed(piece) for piece in ("It is", " ", "blue", " [", "1", "]", ".")] == [
        "It is",
        "",
        " blue",
        "",
        "",
        "",
        " [1].",
    ]
    assert len(markers.feed("[" + "1" * 100)) >= 100 - HELD_CHARACTERS


def cited(citations: list[Citation]) -> dict[int, str]:
    return {citation.marker: citation.quote for citation in citations if citation.cited}


def test_a_quote_is_narrowed_to_the_sentence_that_supports_the_claim() -> None:
    citations = resolve("Service is due every two years [1]. The rest is unknown.", [passage(1), passage(2)])

    assert cited(citations) == {1: "It must be serviced every two years."}
    assert citations[1] == Citation(2, passage(2), 100, 100 + len(PUMP), PUMP, cited=False)


def test_a_quote_is_the_stored_text_at_its_offsets() -> None:
    document = "é" * 100 + PUMP
    for citation in resolve("Acme made it in 1987 [1][2].", [passage(1), passage(2)]):
        assert document[citation.start : citation.end] == citation.quote == "The pump was built in 1987 by Acme."


def test_several_claims_make_one_quote_from_the_first_sentence_to_the_last() -> None:
    answer = "Acme built it in 1987 [1], and one has to call a technician [1]."

    assert cited(resolve(answer, [passage(1)])) == {1: PUMP}


def test_a_clause_is_a_claim_of_its_own() -> None:
    answer = "Acme built the pump in 1987 [1], while service is due every two years [2]."

    assert cited(resolve(answer, [passage(1), passage(2)])) == {
        1: "The pump was built in 1987 by Acme.",
        2: "It must be serviced every two years.",
    }


@pytest.mark.parametrize(
    "answer", ["Built by Acme in 1987.\n[1]", "According to [1], Acme built it in 1987.", "Acme built it in 1987[1]."]
)
def test_a_marker_finds_its_claim_wherever_it_stands(answer: str) -> None:
    assert cited(resolve(answer, [passage(1)])) == {1: "The pump was built in 1987 by Acme."}


def test_a_claim_without_a_common_word_quotes_the_whole_passage() -> None:
    assert cited(resolve("Ja, stimmt [1].", [passage(1)])) == {1: PUMP}


def test_code_links_and_unknown_numbers_cite_nothing() -> None:
    assert cited(resolve("`a [1]`, [1](http://x) and [3]", [passage(1)])) == {}


@given(
    st.text(alphabet=st.sampled_from("ab .\n[1]2,`é"), max_size=60),
    st.text(alphabet=st.sampled_from("ab .\nAé"), min_size=1, max_size=60),
)
def test_every_quote_can_be_checked(answer: str, text: str) -> None:
    for citation in resolve(answer, [passage(1, text, start=7), passage(2, text, start=0)]):
        offset = citation.passage.start
        assert citation.quote == text[citation.start - offset : citation.end - offset] != ""
