"""From the markers of an answer to quotes that can be checked."""

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from backend.core.sentences import sentences
from backend.core.words import terms
from backend.ports.chat_model import Passage
from backend.rag.citations.scanning import Scanner

_BRACKETED_NUMBERS = re.compile(r"[\[【][0-9,; ]{1,24}(?:†[^】]{0,24})?[\]】]")
_TERMS_OF_A_CLAIM = 3
_WORTH_ANOTHER_SENTENCE = 0.25


@dataclass(frozen=True, slots=True)
class Citation:
    """A passage as a source of an answer.

    ``quote`` is the document's stored text at ``[start:end]``, code points: for a cited passage the sentences that support the
    claim best, for the others the whole passage.
    """

    marker: int
    passage: Passage
    start: int
    end: int
    quote: str
    cited: bool


def resolve(answer: str, passages: Sequence[Passage]) -> list[Citation]:
    """Return one citation for every passage, in the order given; ``cited`` where the answer bears its marker.

    A claim is what stands between a marker and the marker before it in its sentence, or the whole sentence where that says too
    little. Of a passage that is cited for several claims the quote reaches from the first supporting sentence to the last. If no
    sentence shares a term with the claim (another language, say), the quote is the whole passage. Pure, and linear but for the
    sentences' lengths.
    """
    claims = _claims(answer)
    return [_citation(passage, claims.get(passage.marker)) for passage in passages]


def _citation(passage: Passage, claims: list[frozenset[str]] | None) -> Citation:
    first, last = _support(passage.text, claims) if claims else (0, len(passage.text))
    start, end = passage.start + first, passage.start + last
    return Citation(passage.marker, passage, start, end, passage.text[first:last], cited=claims is not None)


def _claims(answer: str) -> dict[int, list[frozenset[str]]]:
    """Return what is claimed under every marker, each claim by its terms."""
    scanner = Scanner()
    spans = sentences(answer)
    starts = [start for start, _ in spans]
    claims: dict[int, list[frozenset[str]]] = defaultdict(list)
    position, previous_end, clause_start = 0, -1, 0
    for part in [*scanner.feed(answer), *scanner.finish()]:
        end = position + len(part.text)
        if part.numbers:
            if position != previous_end:  # Markers side by side stand for the same claim.
                clause_start = max(previous_end, 0)
            previous_end = end
            claim = _claim(answer, spans, max(bisect_right(starts, position) - 1, 0), clause_start, position)
            for number in dict.fromkeys(part.numbers):
                claims[number].append(claim)
        position = end
    return dict(claims)


def _claim(answer: str, spans: Sequence[tuple[int, int]], sentence: int, clause_start: int, marker: int) -> frozenset[str]:
    clause = _terms(answer[max(spans[sentence][0], clause_start) : marker])
    if len(clause) >= _TERMS_OF_A_CLAIM:
        return clause
    # A marker on a line of its own belongs to the sentence before it.
    for index in range(sentence, max(sentence - 3, -1), -1):
        if found := _terms(answer[slice(*spans[index])]):
            return found
    return frozenset()


def _terms(text: str) -> frozenset[str]:
    return frozenset(terms(_BRACKETED_NUMBERS.sub(" ", text)))


def _support(text: str, claims: Sequence[frozenset[str]]) -> tuple[int, int]:
    """Return the span of the sentences that support the claims best."""
    spans = sentences(text)
    bags = [frozenset(terms(text[start:end])) for start, end in spans]
    frequencies = Counter(term for bag in bags for term in bag)
    weights = {term: log(1.0 + len(bags) / frequency) for term, frequency in frequencies.items()}
    chosen = [found for claim in claims if (found := _best(claim, bags, weights))]
    if not chosen:
        return 0, len(text)
    return spans[min(first for first, _ in chosen)][0], spans[max(last for _, last in chosen)][1]


def _best(claim: frozenset[str], bags: Sequence[frozenset[str]], weights: dict[str, float]) -> tuple[int, int] | None:
    """Return the first and the last of the one or two neighbouring sentences that share most with a claim."""

    def weight(bag: frozenset[str]) -> float:
        return sum(weights[term] for term in sorted(bag))

    wanted = claim & weights.keys()
    if not wanted:
        return None
    total = weight(wanted)
    # Of two sentences that share the same with the claim the one that says less besides is the better quote.
    scores = [weight(bag & wanted) / total + 0.25 * weight(bag & wanted) / (weight(bag) or 1.0) for bag in bags]
    best = max(range(len(bags)), key=scores.__getitem__)
    neighbours = [index for index in (best - 1, best + 1) if 0 <= index < len(bags)]
    gains = {index: weight((bags[index] & wanted) - bags[best]) / total for index in neighbours}
    other = max(neighbours, key=gains.__getitem__, default=best)
    if gains.get(other, 0.0) < _WORTH_ANOTHER_SENTENCE:
        other = best
    return min(best, other), max(best, other)
