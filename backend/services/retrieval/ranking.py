"""One ranking from both legs and all forms of a question, with its reasons."""

from collections.abc import Sequence
from uuid import UUID

from backend.core.values.search import DenseRank, LexicalRank, RankedChunk, Thresholds
from backend.db.repositories.lexicon import LexicalHit
from backend.ports.embedder import Embedder
from backend.ports.vector_index import Neighbour
from backend.rag.fusion import Fused, fuse

LEXICAL_THRESHOLD = 0.34
"""The share of the question's idf from which a lexical hit alone counts as relevant; chosen as docs/benchmarks.md says."""


def thresholds_of(embedder: Embedder) -> Thresholds:
    """Return from where on a chunk is relevant."""
    return Thresholds(embedder.relevance_threshold, LEXICAL_THRESHOLD)


def ranked(
    dense: Sequence[Sequence[Neighbour]], lexical: Sequence[Sequence[LexicalHit]], *, dense_weight: float, thresholds: Thresholds
) -> tuple[RankedChunk, ...]:
    """Merge what each leg has found for each form, best first.

    Of the forms a chunk has the best score, in each leg by itself. Where there are several, what is relevant is not judged by the
    last: it may be a fragment ("and the second one?"), whose few words are soon found in full, and must not pass for an answer.
    """
    fused = fuse(
        [(hit.chunk_id, hit.similarity) for form in dense for hit in form],
        [(hit.chunk_id, hit.score) for form in lexical for hit in form],
        dense_weight=dense_weight,
    )
    near: dict[UUID, float] = {}
    for similar in (hit for form in dense[:-1] or dense for hit in form):
        near[similar.chunk_id] = max(similar.similarity, near.get(similar.chunk_id, -1.0))
    shares: dict[UUID, float] = {}
    for matched in (hit for form in lexical[:-1] or lexical for hit in form):
        shares[matched.chunk_id] = max(matched.share, shares.get(matched.chunk_id, 0.0))

    def relevant(chunk_id: UUID) -> bool:
        similarity = near.get(chunk_id)
        return (similarity is not None and similarity >= thresholds.dense) or shares.get(chunk_id, 0.0) >= thresholds.lexical

    return tuple(_explained(hit, shares.get(hit.chunk_id, 0.0), relevant=relevant(hit.chunk_id)) for hit in fused)


def _explained(hit: Fused, share: float, *, relevant: bool) -> RankedChunk:
    dense = None if hit.dense_rank is None or hit.dense_score is None else DenseRank(hit.dense_rank, hit.dense_score)
    lexical = (
        None if hit.lexical_rank is None or hit.lexical_score is None else LexicalRank(hit.lexical_rank, hit.lexical_score, share)
    )
    return RankedChunk(hit.chunk_id, hit.score, relevant, dense, lexical)
