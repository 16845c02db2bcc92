"""An answerer without a model: it quotes."""

import re
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass
from math import log, sqrt
from uuid import UUID

from backend.core.errors import ModelMissingError
from backend.core.sentences import sentences
from backend.core.transactions import assert_no_transaction
from backend.core.words import terms
from backend.ports.chat_model import NOTHING_FOUND, Finish, Generation, ModelDetails, Passage, Piece, Prompt

_MODEL = "extractive"
_WINDOW = 32_768
_SENTENCES = 3

# One sentence has to be relevant; those that may be quoted then need not be as much: what answers often says "it" of what was
# named before. benchmarks/extractive.py on SQuAD: 93 of 100 questions are answered from the passages that were found for them, and
# 19 of 100 from the best passages of other subjects.
_RELEVANT_OVERLAP = 0.3
_RELATED_OVERLAP = 0.15
_NEARLY_AS_GOOD = 0.6
_SAME = 0.8

# What a question asks for shows in the shape of a sentence that can answer it.
_SHAPES: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (re.compile(asked, re.IGNORECASE), re.compile(shape))
    for asked, shape in (
        (
            r"\b(?:when|what (?:year|date|day|month|time)|which year|wann)\b",
            r"\b\d{4}\b|\b\d{1,2}[:.]\d{2}\b|\b\d{1,2}(?:st|nd|rd|th)\b|\b[12]?\d00s\b",
        ),
        (
            r"\b(?:how (?:many|much|long|often|old|far|large|big|tall)|what percent\w*|wie ?viele?)\b",
            r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|dozen|hundred|thousand|million)\b",
        ),
        (r"\b(?:who|whom|whose|wer)\b", r"(?<=[^.!?\s] )[A-Z][\w'-]+|\b[A-Z][\w'-]+ [A-Z]"),
        (r"\b(?:where|wo)\b", r"\b(?:in|at|near|from|on|to|of) (?:the )?[A-Z]\w+"),
    )
)
_INDEX = re.compile(r"\w+(?:\[[\d,; ]+\])+")
_REFERENCE = re.compile(r"\s?[\[【][\d,; ]{1,24}[\]】](?!\()")


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A sentence of a passage. ``rank`` is the passage's, from 0, and ``relevance`` the fused score of its chunk."""

    rank: int
    relevance: float
    passage: Passage
    start: int
    text: str
    bag: Counter[str]


@dataclass(frozen=True, slots=True)
class _Scored:
    candidate: _Candidate
    score: float
    overlap: float


class ExtractiveChatModel:
    """Answers with the one to three sentences of the passages that fit the question best, each followed by its marker.

    A sentence's score is half the cosine of tf-idf bags of terms, half the share of the question's idf that it matches, 0.1 if it
    has the shape that when, who, where or how many ask for, and 0.15 times the fused score of its chunk; idf is taken over the
    passages' sentences. If no sentence matches enough of the question's idf, it says what ``Prompt.otherwise`` tells it to, without
    a marker.

    Source: benchmarks/extractive.py on SQuAD: the gold answer is in the answer for 0.83 of the questions.
    """

    provider = "extractive"
    default_model = _MODEL

    async def stream(self, prompt: Prompt, options: Generation) -> AsyncGenerator[Piece, None]:
        """See ``ChatModel.stream``. It speaks word by word; a word counts as a token of ``options.max_tokens``."""
        assert_no_transaction("calling the language model")
        self._require(options.model)
        words = re.findall(r"\s*\S+", answer(prompt.question, prompt.passages) or prompt.otherwise or NOTHING_FOUND)
        said = words[: options.max_tokens]
        for word in said:
            yield Piece(word)
        yield Piece("", finish=Finish("stop" if len(said) == len(words) else "length"))

    async def details(self, model: str) -> ModelDetails:
        """See ``ChatModel.details``."""
        self._require(model)
        return ModelDetails(_MODEL, _WINDOW, capabilities=frozenset())

    def writes(self, model: str) -> bool:
        """See ``ChatModel.writes``; it only quotes."""
        return False

    async def models(self) -> Sequence[ModelDetails]:
        """See ``ChatModel.models``."""
        return [await self.details(_MODEL)]

    async def check(self) -> None:
        """See ``ChatModel.check``; it is always there."""

    async def aclose(self) -> None:
        """See ``ChatModel.aclose``."""

    def _require(self, model: str) -> None:
        if model != _MODEL:
            raise ModelMissingError


def answer(question: str, passages: Sequence[Passage]) -> str:
    """Return the quoted sentences, each with its marker; ``""`` without any.

    The document with the best passage comes first, and the sentences of a document are in its own order.
    """
    chosen = _chosen(_scored(question, list(_candidates(passages))))
    first: dict[UUID, int] = {}
    for candidate in sorted(chosen, key=lambda candidate: candidate.rank):
        first.setdefault(candidate.passage.document_id, candidate.rank)
    chosen.sort(key=lambda candidate: (first[candidate.passage.document_id], candidate.passage.start + candidate.start))
    return " ".join(f"{_quotable(candidate.text)} [{candidate.passage.marker}]" for candidate in chosen)


def _candidates(passages: Sequence[Passage]) -> Iterator[_Candidate]:
    for rank, passage in enumerate(passages):
        for start, end in sentences(passage.text):
            text = passage.text[start:end]
            chunk = passage.at(passage.start + start)
            if (bag := Counter(terms(text))) and not _is_heading(text, chunk):
                yield _Candidate(rank, chunk.score, passage, start, text, bag)


def _is_heading(text: str, passage: Passage) -> bool:
    """A heading names a subject and says nothing about it."""
    return text.startswith("#") or text in (passage.heading or "").split(" > ")


def _scored(question: str, candidates: Sequence[_Candidate]) -> list[_Scored]:
    """Score every candidate, best first."""
    asked = Counter(terms(question))
    frequencies = Counter(term for candidate in candidates for term in candidate.bag)
    idf = {term: log(1.0 + len(candidates) / (1.0 + frequencies[term])) for term in frequencies.keys() | asked.keys()}
    total = sum(idf[term] for term in asked)
    shapes = [shape for words, shape in _SHAPES if words.search(question)]
    scored = []
    for candidate in candidates if total else ():
        overlap = sum(idf[term] for term in asked if term in candidate.bag) / total
        score = 0.5 * _cosine(asked, candidate.bag, idf) + 0.5 * overlap + 0.15 * candidate.relevance
        score += 0.1 * any(shape.search(candidate.text) for shape in shapes)
        scored.append(_Scored(candidate, score, overlap))
    return sorted(scored, key=lambda one: -one.score)


def _cosine(one: Counter[str], other: Counter[str], idf: dict[str, float]) -> float:
    product = sum(count * other[term] * idf[term] ** 2 for term, count in one.items() if term in other)
    lengths = [sqrt(sum((count * idf[term]) ** 2 for term, count in bag.items())) for bag in (one, other)]
    return product / (lengths[0] * lengths[1]) if product else 0.0


def _chosen(scored: Sequence[_Scored]) -> list[_Candidate]:
    """If a sentence is relevant, take the best one and up to two more that are nearly as good and say something else."""
    if not any(one.overlap >= _RELEVANT_OVERLAP for one in scored):
        return []
    related = [one for one in scored if one.overlap >= _RELATED_OVERLAP]
    chosen: list[_Candidate] = []
    for one in related:
        if len(chosen) == _SENTENCES or one.score < _NEARLY_AS_GOOD * related[0].score:
            break
        if not any(_same(one.candidate.bag, other.bag) for other in chosen):
            chosen.append(one.candidate)
    return chosen


def _same(one: Counter[str], other: Counter[str]) -> bool:
    return len(one.keys() & other.keys()) >= _SAME * len(one.keys() | other.keys())


def _quotable(sentence: str) -> str:
    """Return a sentence on one line in which nothing passes for a marker of ours.

    Reference numbers of the document (``[7]``) go; an index (``argv[1]``) becomes code; and no backtick of the document may open
    code that would swallow our marker.
    """
    line = _REFERENCE.sub(lambda found: found[0] if _is_index(found) else "", " ".join(sentence.replace("`", "").split()))
    return _INDEX.sub(r"`\g<0>`", line)


def _is_index(found: re.Match[str]) -> bool:
    before = found.string[: found.start()][-1:]
    return (
        bool(before) and (before == "]" or (before.isascii() and (before.isalnum() or before == "_"))) and not found[0][0].isspace()
    )
