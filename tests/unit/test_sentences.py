import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.sentences import sentences


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Dr. Smith paid 3.14 euros. See Fig. 3, e.g. J. R. Roe.", ["Dr. Smith paid 3.14 euros.", "See Fig. 3, e.g. J. R. Roe."]),
        ('"Why?" he asked. He left.', ['"Why?" he asked.', "He left."]),
        ("A claim.[1] Another [2]. Third. [3] Fourth.", ["A claim.[1]", "Another [2].", "Third. [3]", "Fourth."]),
        ("Title\nThis text is\nwrapped here.", ["Title", "This text is\nwrapped here."]),
        ("List:\n- one\n- two\n1. First thing. More.", ["List:", "- one", "- two", "1. First thing.", "More."]),
        ("First paragraph\n\nsecond paragraph", ["First paragraph", "second paragraph"]),
        ("東京は首都です。人口は多い！", ["東京は首都です。", "人口は多い！"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_sentences_end_where_a_reader_says(text: str, expected: list[str]) -> None:
    assert cut(text) == expected


def test_a_long_table_is_cut_at_its_lines() -> None:
    rows = [f"{number}, a name that is rather long, and some more columns to fill it" for number in range(20)]

    assert cut("\n".join(rows)) == rows


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from(" \n.!?[1]。-a"))))
def test_every_character_but_whitespace_is_in_exactly_one_sentence(text: str) -> None:
    spans = sentences(text)

    assert spans == sorted(spans)
    assert all(text[start:end] == text[start:end].strip() != "" for start, end in spans)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))
    assert "".join("".join(cut(text)).split()) == "".join(text.split())


def test_a_wrapped_line_goes_on_even_after_a_sentence_that_ended_in_it() -> None:
    text = "A night is worked by two. Nobody observes alone. The shift runs from\n16:00 to 00:30, and the next one from 22:00."

    assert [text[start:end] for start, end in sentences(text)][-1].startswith("The shift runs from\n16:00")
