"""Questions whose answers are known, and how well they were found."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from backend.core.values.chat import Leg
from backend.core.values.search import RankedChunk, Thresholds


@dataclass(frozen=True, slots=True)
class KnownQuestion:
    """A question with the place of its answer. ``line`` is where somebody wrote it, for messages.

    The place is a document, by its id or by its title or filename, and within it, where given, a page or a text that is there word
    for word. A question that is not ``answerable`` has none.
    """

    line: int
    question: str
    answerable: bool = True
    document_id: UUID | None = None
    document: str | None = None
    page: int | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class PlacedHit:
    """A chunk that was found, and where it stands."""

    chunk: RankedChunk
    document_id: UUID
    page: int | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Observed:
    """What a search found, best first by the fused ranking, and how it judged."""

    hits: tuple[PlacedHit, ...]
    degraded: tuple[Leg, ...]
    embedder: str
    dense_weight: float
    thresholds: Thresholds

    def by_leg(self) -> dict[str, list[PlacedHit]]:
        """Return the ranking of each leg alone, and the fused one."""
        dense = [(hit.chunk.dense.rank, hit) for hit in self.hits if hit.chunk.dense is not None]
        lexical = [(hit.chunk.lexical.rank, hit) for hit in self.hits if hit.chunk.lexical is not None]
        return {
            "dense": [hit for _, hit in sorted(dense, key=lambda ranked: ranked[0])],
            "lexical": [hit for _, hit in sorted(lexical, key=lambda ranked: ranked[0])],
            "fused": list(self.hits),
        }

    @property
    def refused(self) -> bool:
        """Whether nothing was relevant, so that the answer would be that it is not in the documents."""
        return not any(hit.chunk.relevant for hit in self.hits)


@dataclass(frozen=True, slots=True)
class Ranking:
    """Means over the answerable questions, each 0 to 1, of one leg or of both together."""

    recall_1: float
    recall_5: float
    recall_10: float
    ndcg_10: float
    mrr_10: float


@dataclass(frozen=True, slots=True)
class Miss:
    """An answerable question whose place was not among the first five; ``rank`` is where it was, if it was found at all."""

    line: int
    question: str
    rank: int | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How good the search was. ``legs`` are ``dense``, ``lexical`` and ``fused``.

    ``wrongly_refused`` is the share of the answerable questions for which nothing was relevant, ``rightly_refused`` that of the
    unanswerable ones; ``None`` where there were no such questions. ``degraded`` counts the questions that a leg did not answer.
    """

    answerable: int
    unanswerable: int
    legs: Mapping[str, Ranking]
    wrongly_refused: float | None
    rightly_refused: float | None
    degraded: Mapping[Leg, int]
    missed: tuple[Miss, ...]
    embedder: str
    dense_weight: float
    thresholds: Thresholds
