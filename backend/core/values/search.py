"""What a search found, with the reasons."""

from dataclasses import dataclass
from uuid import UUID

from backend.core.values.chat import Leg


@dataclass(frozen=True, slots=True)
class DenseRank:
    """A chunk's place by meaning: ranks count from 1, the score is the cosine."""

    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class LexicalRank:
    """A chunk's place by words: the score is BM25, ``share`` the share of the question's idf that it matched."""

    rank: int
    score: float
    share: float


@dataclass(frozen=True, slots=True)
class RankedChunk:
    """A chunk of the fused ranking; ``score`` is 0 to 1. ``relevant`` says that it passes a threshold."""

    chunk_id: UUID
    score: float
    relevant: bool
    dense: DenseRank | None
    lexical: LexicalRank | None


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From where a chunk is relevant: by its cosine, or by its share of the question's idf."""

    dense: float
    lexical: float


@dataclass(frozen=True, slots=True)
class Ranked:
    """The fused ranking, best first, with what is under the thresholds as well."""

    hits: tuple[RankedChunk, ...]
    degraded: tuple[Leg, ...]
    embedder: str
    dense_weight: float
    thresholds: Thresholds
    dense_ms: float | None
    lexical_ms: float | None
