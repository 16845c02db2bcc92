"""What an answer claims under each of its markers."""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from backend.core.sentences import sentences
from backend.core.words import terms
from backend.rag.citations.scanning import Scanner

MOST_SENTENCES = 6
"""How far a claim reaches back at most."""

_BLOCK = re.compile(r"\n[^\S\n]*\n|\n(?=[^\S\n]{0,40}(?:[-*+•‣◦▪–—#>|]|\d{1,3}[.)]\s))")
_TERMS_OF_A_CLAIM = 3
_AROUND = 400
"""How much of a sentence without end is read around a marker."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of an answer, or a part of one, that a marker stands for."""

    text: str
    terms: frozenset[str]


Claim = tuple[Statement, ...]
"""What one marker stands for, in order; the last one is nearest to it. Nothing, where nothing before it says anything."""


def claims_of(answer: str) -> dict[int, list[Claim]]:
    """Return the claims under every marker of an answer.

    A claim reaches from its marker back to the marker before it, to the beginning of its paragraph or item of a list, or over six
    sentences, whichever is nearest. Markers side by side stand for the same claim. Where the marker's own sentence says too little
    before it ("According to [1], ..."), the whole sentence counts; where there is none, the one before it does.
    """
    plain, markers = _without_markers(answer)
    spans = sentences(plain)
    blocks = [0, *(found.end() for found in _BLOCK.finditer(plain))]
    claims: dict[int, list[Claim]] = defaultdict(list)
    for begin, end, numbers in markers:
        claim = _claim(plain, spans, max(begin, blocks[bisect_right(blocks, end) - 1]), end)
        for number in numbers:
            claims[number].append(claim)
    return dict(claims)


def _without_markers(answer: str) -> tuple[str, list[tuple[int, int, dict[int, None]]]]:
    """Return the answer with blanks for its markers, and of each group of them where its claim may begin and where it ends."""
    scanner = Scanner()
    pieces: list[str] = []
    groups: list[tuple[int, int, dict[int, None]]] = []
    position, previous_end = 0, 0
    for part in [*scanner.feed(answer), *scanner.finish()]:
        if part.cites:
            if answer[previous_end:position].strip() or not groups:
                groups.append((previous_end, position, {}))
            groups[-1][2].update(dict.fromkeys(part.numbers))
            previous_end = position + len(part.text)
            pieces.append(" " * len(part.text))
        else:
            pieces.append(part.text)
        position += len(part.text)
    return "".join(pieces), groups


def _claim(text: str, spans: Sequence[tuple[int, int]], begin: int, end: int) -> Claim:
    last = bisect_right(spans, end, key=lambda span: span[0]) - 1
    if last < 0:
        return ()
    first = max(bisect_right(spans, begin, key=lambda span: span[1]), last - MOST_SENTENCES + 1)
    found = [_statement(text, max(start, begin), min(stop, end)) for start, stop in spans[first : last + 1]]
    if not found or len(found[-1].terms) < _TERMS_OF_A_CLAIM:
        start, stop = spans[last]
        found[-1:] = [_statement(text, max(start, end - _AROUND), min(stop, end + _AROUND))]
    if claim := tuple(statement for statement in found if statement.terms):
        return claim
    # A marker in a paragraph of its own belongs to the sentence before it.
    ends = (spans[index] for index in range(last, max(last - 3, -1), -1))
    before = (_statement(text, max(start, stop - _AROUND), stop) for start, stop in ends)
    return next(((statement,) for statement in before if statement.terms), ())


def _statement(text: str, start: int, end: int) -> Statement:
    words = text[start:end]
    return Statement(words, frozenset(terms(words)))
