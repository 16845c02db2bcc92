"""Near duplicates among what was found."""

from collections.abc import Sequence

from backend.core.pairs import parts
from backend.core.words import words

_SHINGLE_WORDS = 3
_SAME = 0.9


def distinct(ranked: Sequence[str]) -> list[int]:
    """Return the positions of the texts to keep, in order: of near duplicates the better ranked one stays.

    Two texts are near duplicates if their words are the same, or if the Jaccard similarity of their shingles of three words is at
    least 0.9. Texts without any word are compared as they are.
    """
    kept: list[int] = []
    seen: list[frozenset[tuple[str, ...]]] = []
    for position, text in enumerate(ranked):
        shingles = _shingles(text)
        if not any(_near(shingles, other) for other in seen):
            kept.append(position)
            seen.append(shingles)
    return kept


def _shingles(text: str) -> frozenset[tuple[str, ...]]:
    # A clause of a script without spaces is one word: two that differ in one character would have nothing in common.
    found = [part for word in words(text) for part in parts(word)] or [text]
    last = max(1, len(found) - _SHINGLE_WORDS + 1)
    return frozenset(tuple(found[start : start + _SHINGLE_WORDS]) for start in range(last))


def _near(one: frozenset[tuple[str, ...]], other: frozenset[tuple[str, ...]]) -> bool:
    small, large = sorted((len(one), len(other)))
    # The sizes alone bound the similarity, which spares most intersections.
    if small < _SAME * large:
        return False
    common = len(one & other)
    return common >= _SAME * (len(one) + len(other) - common)
