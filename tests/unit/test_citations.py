from time import process_time
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.ports.chat_model import Passage
from backend.rag.citations import Citation, resolve
from backend.rag.citations.scanning import Scanner
from backend.rag.wording import Wording

PUMP = "The pump was built in 1987 by Acme. It is blue, as all pumps are.\nIt must be serviced every two years. Call a technician."
TOWER = (
    "The lighthouse of Brede stands on a cliff of chalk. It was lit in 1871. Its lamp burns rape oil. The keeper lives below it. "
    "She counts the ships of every night. Nobody else has a key. The stairs have 199 steps. Fog closes the harbour in November. "
    "Then the horn sounds each minute. Boats wait outside until noon."
)


def passage(marker: int, text: str = PUMP, start: int = 100) -> Passage:
    return Passage(marker, UUID(int=marker), UUID(int=9), "Manual", 1, None, start, start + len(text), text, 1.0)


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


@pytest.mark.parametrize(
    ("answer", "quote"),
    [
        # All that is said before a marker is claimed under it, and not its last sentence only.
        (
            "Here is what I found. It was lit in 1871. The lamp burns rape oil, and the keeper lives below [1].",
            "It was lit in 1871. Its lamp burns rape oil. The keeper lives below it.",
        ),
        # One sentence may rest on two.
        ("She counts ships and nobody else has a key [1].", "She counts the ships of every night. Nobody else has a key."),
        # A marker or a paragraph or an item before it ends a claim.
        ("It was lit in 1871 [2]. The stairs have 199 steps [1].", "The stairs have 199 steps."),
        ("It was lit in 1871.\n\nThe stairs have 199 steps. [1]", "The stairs have 199 steps."),
        ("- It was lit in 1871.\n- The stairs have 199 steps. [1]", "The stairs have 199 steps."),
        # A list that is cited as a whole, on a line of its own.
        ("The stairs have 199 steps.\n\n[1]", "The stairs have 199 steps."),
        # Claims whose support stands close together share a quote; of what is far apart the quote has the most.
        (
            "The horn sounds each minute [1], and boats wait until noon [1].",
            "Then the horn sounds each minute. Boats wait outside until noon.",
        ),
        ("It stands on chalk [1]. The horn sounds each minute. Boats wait until noon [1].", TOWER),
        # Markers side by side stand for the same claim, however they are written.
        ("The stairs have 199 steps [2] [1].", "The stairs have 199 steps."),
        ("The stairs have 199 steps [1-2].", "The stairs have 199 steps."),
    ],
)
def test_the_quote_is_the_smallest_run_of_sentences_that_supports_the_claim(answer: str, quote: str) -> None:
    assert cited(resolve(answer, [passage(1, TOWER), passage(2)]))[1] == quote


def test_a_quote_of_several_sentences_is_bounded() -> None:
    (citation,) = resolve(f"{TOWER} [1]", [passage(1, TOWER)])
    (of_long_ones,) = resolve(f"{'Rain fell on every roof. ' * 9} [1]", [passage(1, f"Rain fell on {'every wet ' * 60}roof. " * 3)])

    assert citation.quote.count(".") == 6
    assert of_long_ones.quote.count(".") == 1


@pytest.mark.parametrize("pattern", ["a. [1]", "The lamp burns oil [1]. ", "[1] ", "[", "[source [", "[1, "])
def test_a_model_that_goes_round_in_circles_is_resolved_in_a_moment(pattern: str) -> None:
    reply, text = pattern * (60_000 // len(pattern)), f"{TOWER} " * 8
    begun = process_time()

    resolve(reply, [passage(1, text)])

    assert process_time() - begun < 20


def test_an_index_in_the_text_is_no_citation() -> None:
    assert cited(resolve("The second is my_list[1].", [passage(1)])) == {}


@pytest.mark.parametrize(
    ("answer", "supported"),
    [
        ("The keeper of the tower must count the ships [1].", True),
        ("It is said that all of the whales of the sea eat krill, and that they are large [1].", False),
        ("Die Wale des Meeres fressen jeden Tag Tonnen von Krill [1].", True),
        ("Whales [1].", True),
        ("It is said that the whales of the sea eat krill [1]. It was lit in 1871 [1].", True),
        ("It is said that the whales of the sea eat krill.", True),
    ],
)
def test_a_citation_is_unsupported_only_where_both_surely_are_about_different_things(answer: str, supported: bool) -> None:
    (citation,) = resolve(answer, [passage(1, TOWER)])

    assert citation.supported is supported


@given(
    st.lists(
        st.sampled_from(
            ["[", "]", "(", ")", "http://e.x", "!", "1", "7", "[7]", "[1]", "[[7]]", " ", "`", "\n", "\\", "a", "【", "】"]
        )
    )
)
def test_what_is_shown_has_no_marker_but_those_that_resolve(tokens: list[str]) -> None:
    wording, scanner = Wording([1]), Scanner()
    shown = wording.feed("".join(tokens)) + wording.finish()

    found = {n for part in [*scanner.feed(shown), *scanner.finish()] if not part.attached for n in part.numbers}
    assert found <= {1}
    assert {citation.marker for citation in resolve(shown, [passage(1)]) if citation.cited} == found
