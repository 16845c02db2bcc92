"""One ranking from two."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID


class Fused(NamedTuple):
    """A chunk of the fused ranking; ``score`` is 0 to 1. Ranks count from 1; ``None`` where a leg did not find the chunk."""

    chunk_id: UUID
    score: float
    dense_rank: int | None
    dense_score: float | None
    lexical_rank: int | None
    lexical_score: float | None


class _Hit(NamedTuple):
    rank: int
    raw: float
    scaled: float


def fuse(dense: Sequence[tuple[UUID, float]], lexical: Sequence[tuple[UUID, float]], *, dense_weight: float) -> list[Fused]:
    """Merge the legs' (chunk, score) pairs by a convex combination of their min-max scores, best first.

    A chunk that a leg did not find scores 0 there; a leg whose scores are all equal gives each of its chunks 1; the weight of an
    empty leg goes to the other. Ties go to the better rank in either leg, then to the smaller id, so the order of the input does
    not matter.

    Source: Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", 2023; 0.5 each was best in our trials.
    """
    if not dense:
        dense_weight = 0.0
    elif not lexical:
        dense_weight = 1.0
    near, worded = _leg(dense), _leg(lexical)
    merged: list[Fused] = []
    for chunk_id in near.keys() | worded.keys():
        one, other = near.get(chunk_id), worded.get(chunk_id)
        score = dense_weight * (one.scaled if one else 0.0) + (1.0 - dense_weight) * (other.scaled if other else 0.0)
        merged.append(
            Fused(
                chunk_id=chunk_id,
                score=score,
                dense_rank=one.rank if one else None,
                dense_score=one.raw if one else None,
                lexical_rank=other.rank if other else None,
                lexical_score=other.raw if other else None,
            )
        )
    return sorted(merged, key=_order)


def _leg(scored: Sequence[tuple[UUID, float]]) -> dict[UUID, _Hit]:
    best: dict[UUID, float] = {}
    for chunk_id, score in scored:
        best[chunk_id] = max(score, best.get(chunk_id, score))
    if not best:
        return {}
    lowest, highest = min(best.values()), max(best.values())
    span = highest - lowest
    ranked = sorted(best.items(), key=lambda item: (-item[1], item[0]))
    return {
        chunk_id: _Hit(rank, score, (score - lowest) / span if span else 1.0)
        for rank, (chunk_id, score) in enumerate(ranked, start=1)
    }


def _order(fused: Fused) -> tuple[float, int, UUID]:
    ranks = [rank for rank in (fused.dense_rank, fused.lexical_rank) if rank is not None]
    return -fused.score, min(ranks), fused.chunk_id
