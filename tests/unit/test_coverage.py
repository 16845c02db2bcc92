"""How much of a text lies in passages."""

import re
from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from backend.rag.coverage import coverage

TEXTS = st.text(alphabet="ab1 \n.,-é漢\U0001f40b", max_size=60)
SPANS = st.lists(st.tuples(st.integers(0, 70), st.integers(0, 70)).map(sorted).map(tuple), max_size=8)


def naive(text: str, spans: list[tuple[int, int]]) -> tuple[int, int]:
    begins = [found.start() for found in re.finditer(r"\w+|[^\w\s]", text)]
    inside = set(chain.from_iterable(range(start, end) for start, end in spans))
    return len(begins), sum(begin in inside for begin in begins)


@given(TEXTS, SPANS)
def test_it_is_what_counting_one_by_one_gives(text: str, spans: list[tuple[int, int]]) -> None:
    assert coverage(text, spans) == naive(text, spans)


@given(TEXTS, SPANS, st.tuples(st.integers(0, 70), st.integers(0, 70)).map(sorted).map(tuple))
def test_another_passage_never_covers_less_and_order_does_not_count(
    text: str, spans: list[tuple[int, int]], another: tuple[int, int]
) -> None:
    total, covered = coverage(text, spans)
    assert coverage(text, spans[::-1]) == (total, covered)
    assert coverage(text, spans * 2) == (total, covered)
    assert total >= coverage(text, [*spans, another])[1] >= covered


@given(TEXTS)
def test_everything_is_covered_by_the_whole_and_nothing_by_nothing(text: str) -> None:
    total, covered = coverage(text, [(0, len(text))])
    assert (covered, coverage(text, [])) == (total, (total, 0))
