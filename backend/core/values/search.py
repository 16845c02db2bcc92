"""What a search has found, and why."""

from dataclasses import dataclass
from uuid import UUID

from backend.core.values.chat import Leg


@dataclass(frozen=True, slots=True)
class DenseRank:
    """A chunk's place in the search by meaning, from 1; ``score`` is the cosine, -1 to 1."""

    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class LexicalRank:
    """A chunk's place in the search by words, from 1, with its BM25 score; it has ``share`` of the question's idf, 0 to 1."""

    rank: int
    score: float
    share: float


@dataclass(frozen=True, slots=True)
class RankedChunk:
    """A chunk of the fused ranking with its ``score``, 0 to 1; ``None`` where a leg did not find it.

    It is ``relevant`` where a raw score reaches its threshold: the fused score is relative, and the best of a bad lot would be 1.
    """

    chunk_id: UUID
    score: float
    relevant: bool
    dense: DenseRank | None
    lexical: LexicalRank | None


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The cosine, and the share of the question's idf, from which a chunk is relevant."""

    dense: float
    lexical: float


@dataclass(frozen=True, slots=True)
class Ranked:
    """All that was found, best first, also under the thresholds; ``degraded`` names the legs that were down or late.

    ``dense_weight`` is the part of the search by meaning in a fused score, unless a leg found nothing: then the other one has all.
    The legs' times are milliseconds, ``None`` where there was nothing to search for.
    """

    hits: tuple[RankedChunk, ...]
    degraded: tuple[Leg, ...]
    embedder: str
    dense_weight: float
    thresholds: Thresholds
    dense_ms: float | None
    lexical_ms: float | None


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A chunk that was found: ``quote`` is the text at [start:end] of the document's ``version``."""

    rank: int
    document_id: UUID
    title: str
    version: int
    page: int | None
    heading: str | None
    start: int
    end: int
    quote: str
    score: float
    relevant: bool
    dense: DenseRank | None
    lexical: LexicalRank | None


@dataclass(frozen=True, slots=True)
class SearchTimings:
    """Milliseconds; ``None`` for a leg that had nothing to search for."""

    dense_ms: float | None
    lexical_ms: float | None
    total_ms: float


@dataclass(frozen=True, slots=True)
class Findings:
    """The best hits of a search, and all that explains their order. Otherwise as ``Ranked``."""

    query: str
    hits: tuple[SearchHit, ...]
    degraded: tuple[Leg, ...]
    pending_document_ids: tuple[UUID, ...]
    embedder: str
    dense_weight: float
    thresholds: Thresholds
    timings: SearchTimings


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A question that a document answers."""

    question: str
    document_id: UUID
