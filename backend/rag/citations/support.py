"""How far a passage supports what is claimed to be in it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log

from backend.core.sentences import sentences
from backend.core.words import STOP_WORDS, terms, words
from backend.ports.chat_model import Passage
from backend.rag.citations.claims import Claim

MOST_SENTENCES = 6
MOST_CHARACTERS = 700
"""A quote of several sentences has no more of them, and is no longer."""

_MOST_CLAIMS, _MOST_CHARACTERS_FOR_SEVERAL = 8, 1400
_MOST_STATEMENTS = 48
"""A model that goes round in circles says more; the strongest ones are enough to find a quote by."""

_COST_OF_A_SENTENCE = 0.2
_WORTH_OF_BREVITY = 0.25
_WORTH_OF_WHAT_IS_FARTHER = 0.9
_FULL_SHARE = 0.5
"""A sentence that has half of its weight in common with a passage rests on it: the rest is how it is said."""

# Of 1,926 questions of SQuAD, taken with their answers for claims, none shares less with its own paragraph, but 51 of 100 do with
# another one of the same article, and 92 of 100 with one of another article. A missing number says less: 14 of 100 miss one.
_LITTLE_IN_COMMON = 0.2
_TERMS_TO_JUDGE_BY = 4
_FUNCTION_WORDS_OF_ENGLISH = 0.2


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the sentences of a passage could support of a statement: the terms that they share with it, for each sentence."""

    shared: Sequence[frozenset[str]]
    total: float
    strength: float


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a passage, at [start:end] of its text."""

    start: int
    end: int
    terms: frozenset[str]


def read(text: str) -> list[Sentence]:
    """Return the sentences of a text."""
    return [Sentence(start, end, frozenset(terms(text[start:end]))) for start, end in sentences(text)]


def narrowed(passage: Sequence[Sentence], claims: Iterable[Claim]) -> tuple[int, int] | None:
    """Return the span of the neighbouring sentences of a passage that support the claims best.

    A passage that is cited for several claims is quoted from the first sentence that supports one of them to the last, if that is
    not too long; else by what supports most. ``None`` if no sentence shares a term with a claim.
    """
    several = list(dict.fromkeys(claims))
    if 1 < len(several) <= _MOST_CLAIMS:
        spans = [span for claim in several if (span := _narrowed(passage, [claim])) is not None]
        begin, end = min((span[0] for span in spans), default=0), max((span[1] for span in spans), default=0)
        if spans and end - begin <= _MOST_CHARACTERS_FOR_SEVERAL:
            return begin, end
    return _narrowed(passage, several)


def _narrowed(passage: Sequence[Sentence], claims: Iterable[Claim]) -> tuple[int, int] | None:
    """Return the span that supports the claims best: every sentence has to earn its place, and those between two come along."""
    frequencies = Counter(term for sentence in passage for term in sentence.terms)
    weights = {
        # What tells two sentences with the same words apart is their numbers.
        term: log(1.0 + len(passage) / frequency) * (2.0 if term.isdecimal() else 1.0)
        for term, frequency in frequencies.items()
    }
    wanted = _wanted(claims, passage, weights)
    if not wanted:
        return None
    best, best_score = (0, 0), -1.0
    for first in range(len(passage)):
        covered: list[set[str]] = [set() for _ in wanted]
        values = [0.0] * len(wanted)
        said, useful = set[str](), set[str]()
        for last in range(first, min(first + MOST_SENTENCES, len(passage))):
            if last > first and passage[last].end - passage[first].start > MOST_CHARACTERS:
                break
            said |= passage[last].terms
            for index, one in enumerate(wanted):
                if new := one.shared[last] - covered[index]:
                    covered[index] |= new
                    useful |= new
                    values[index] += one.strength * _weight(new, weights) / one.total
            # Of two sentences that share the same with a claim the one that says less besides is the better quote.
            brevity = _weight(useful, weights) / (_weight(said, weights) or 1.0)
            score = sum(values) + _WORTH_OF_BREVITY * brevity - _COST_OF_A_SENTENCE * (last - first)
            if score > best_score + 1e-9:
                best, best_score = (first, last), score
    return passage[best[0]].start, passage[best[1]].end


def speak_against(claims: Iterable[Claim], passage: Passage, read_as: Sequence[Sentence]) -> bool:
    """Tell whether all the claims surely are about something else than the passage.

    Only where both are in English, which shows in their function words, and a claim says enough: other languages have other words
    for the same, and so have paraphrases, but not for nearly everything.
    """
    known = frozenset(terms(f"{passage.title} {passage.heading or ''}")).union(*(sentence.terms for sentence in read_as))
    return all(_is_elsewhere(claim, known) for claim in claims) and _is_english(passage.text)


def _is_elsewhere(claim: Claim, known: frozenset[str]) -> bool:
    if not any(len(statement.terms) >= _TERMS_TO_JUDGE_BY for statement in claim):
        return False
    if any(len(statement.terms & known) >= _LITTLE_IN_COMMON * len(statement.terms) for statement in claim):
        return False
    return _is_english(" ".join(statement.text for statement in claim))


def _wanted(claims: Iterable[Claim], passage: Sequence[Sentence], weights: dict[str, float]) -> list[_Wanted]:
    rarest = log(1.0 + len(passage))
    strengths: dict[frozenset[str], float] = {}
    for claim in claims:
        for index, statement in enumerate(claim, start=1):
            if known := frozenset(statement.terms & weights.keys()):
                total = _weight(known, weights)
                # A sentence that leads to the claim, and says little of what the passage says, must not widen the quote.
                share = min(1.0, total / (total + rarest * len(statement.terms - known)) / _FULL_SHARE)
                strength = share if index == len(claim) else share * _WORTH_OF_WHAT_IS_FARTHER
                strengths[known] = max(strength, strengths.get(known, 0.0))
    strongest = sorted(strengths, key=strengths.__getitem__, reverse=True)[:_MOST_STATEMENTS]
    return [
        _Wanted(
            [sentence.terms & known for sentence in passage], _weight(known, weights), strengths[known] / strengths[strongest[0]]
        )
        for known in strongest
    ]


def _weight(bag: Iterable[str], weights: dict[str, float]) -> float:
    return sum(weights[term] for term in sorted(bag))


def _is_english(text: str) -> bool:
    found = words(text)
    return sum(word in STOP_WORDS for word in found) >= _FUNCTION_WORDS_OF_ENGLISH * len(found)
