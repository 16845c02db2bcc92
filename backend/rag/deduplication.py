"""Near duplicates among what was found."""

from backend.core.pairs import parts
from backend.core.words import words

_SHINGLE_WORDS = 3
_SAME = 0.9

_Shingles = frozenset[tuple[str, ...]]


class Distinct:
    """Texts of which no two are near duplicates.

    Two texts are near duplicates if their words are the same, or if the Jaccard similarity of their shingles of three words is at
    least 0.9. Texts without any word are compared as they are.
    """

    def __init__(self) -> None:
        self._kept: list[_Shingles] = []

    def keeps(self, text: str) -> bool:
        """Keep a text, unless one that was kept is a near duplicate of it; return whether it was kept."""
        shingles = _shingles(text)
        if any(_near(shingles, other) for other in self._kept):
            return False
        self._kept.append(shingles)
        return True


def _shingles(text: str) -> _Shingles:
    found = words(text)
    if not text.isascii():
        # A clause of a script without spaces is one word: two that differ in one character would have nothing in common.
        found = [part for word in found for part in parts(word)]
    found = found or [text]
    if len(found) < _SHINGLE_WORDS:
        return frozenset((tuple(found),))
    return frozenset(zip(found, found[1:], found[2:], strict=False))


def _near(one: _Shingles, other: _Shingles) -> bool:
    small, large = sorted((len(one), len(other)))
    # The sizes alone bound the similarity, which spares most intersections.
    if small < _SAME * large:
        return False
    common = len(one & other)
    return common >= _SAME * (len(one) + len(other) - common)
