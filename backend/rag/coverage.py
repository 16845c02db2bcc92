"""How much of a text is covered by passages."""

import re
from collections.abc import Iterable

# A word, or one sign; what is written without spaces counts by its runs, which is fair, for both sides count alike.
_TOKEN = re.compile(r"\w+|[^\w\s]")


def coverage(text: str, spans: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """Return how many words and signs a text has, and how many of them begin inside one of the spans [start, end).

    Spans may overlap and come in any order; a word that two of them share counts once.
    """
    total = covered = 0
    ordered = iter(sorted(spans))
    start, end = next(ordered, (len(text), len(text)))
    reached = 0  # The end of all spans that began before: a later one may be shorter.
    for token in _TOKEN.finditer(text):
        total += 1
        at = token.start()
        while start <= at:
            reached = max(reached, end)
            start, end = next(ordered, (len(text) + 1, len(text) + 1))
        covered += at < reached
    return total, covered
