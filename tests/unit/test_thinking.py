"""Reasoning is taken out of a reply, wherever the pieces cut its tags."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.adapters.wire.thinking import ThinkingSplitter


def split(pieces: list[str]) -> tuple[str, str]:
    splitter = ThinkingSplitter()
    out = [splitter.feed(piece) for piece in pieces]
    out.append(splitter.finish())
    return "".join(text for text, _ in out), "".join(thinking for _, thinking in out)


REPLIES = [
    ("<think>Well, 1 < 2.</think>\n\nYes.", "Yes.", "Well, 1 < 2."),
    (" \n<think></think>Yes.", "Yes.", ""),
    ("<think>Never an </think", "", "Never an </think"),
    ("Use <think>x</think>.", "Use <think>x</think>.", ""),
    ("<thin", "<thin", ""),
    (" <b>Yes</b> ", " <b>Yes</b> ", ""),
    ("<think>a</think> b <think>c</think>", "b <think>c</think>", "a"),
    ("", "", ""),
]


@pytest.mark.parametrize(("reply", "text", "thinking"), REPLIES)
@settings(deadline=None, max_examples=40)
@given(cuts=st.lists(st.integers(0, 1000)))
def test_any_split_gives_the_same(reply: str, text: str, thinking: str, cuts: list[int]) -> None:
    edges = [0, *sorted(cut % (len(reply) + 1) for cut in cuts), len(reply)]

    assert split([reply[start:stop] for start, stop in pairwise(edges)]) == (text, thinking)
    assert split(list(reply)) == (text, thinking)


def test_text_that_cannot_be_a_tag_is_not_held_back() -> None:
    splitter = ThinkingSplitter()

    assert [splitter.feed(piece) for piece in ("<", "b", ">")] == [("", ""), ("<b", ""), (">", "")]
    assert ThinkingSplitter().feed("Hello") == ("Hello", "")
