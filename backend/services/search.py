"""Searching without asking anybody: what retrieval finds, and why."""

from time import perf_counter
from uuid import UUID

from backend.core.errors import DocumentNotFoundError
from backend.core.values.document import UNFINISHED
from backend.core.values.search import Findings, SearchHit, SearchTimings
from backend.core.values.user import EVERYTHING, Reach
from backend.db.uow import UnitOfWork
from backend.services.retrieval import Found, Retriever


class SearchService:
    """Shows the chunks that a question finds, with the rank and the score of each leg. No language model is asked."""

    def __init__(self, uow: UnitOfWork, retriever: Retriever) -> None:
        self._uow = uow
        self._retriever = retriever

    async def search(
        self, owner_id: UUID, query: str, *, document_ids: tuple[UUID, ...] | None, limit: int, reach: Reach = EVERYTHING
    ) -> Findings:
        """Return the best chunks of all the owner's ready documents or of some, also those that no answer would be given from.

        Raises:
            DocumentNotFoundError: One of ``document_ids`` is not the caller's, or is out of reach.
            DatabaseUnavailableError: PostgreSQL is down, or neither leg has answered.
        """
        begun = perf_counter()
        within = reach.narrowed(document_ids)
        async with self._uow.of(owner_id) as tx:
            standings = await tx.documents.standings(owner_id, within)
        if document_ids is not None and len(standings) < len(set(document_ids)):
            raise DocumentNotFoundError
        ranking, found = await self._retriever.search(owner_id, query, within=within, limit=limit)
        return Findings(
            query=query,
            hits=tuple(_hit(rank, one) for rank, one in enumerate(found, start=1)),
            degraded=ranking.degraded,
            pending_document_ids=tuple(document_id for document_id, standing in standings.items() if standing.status in UNFINISHED),
            embedder=ranking.embedder,
            dense_weight=ranking.dense_weight,
            thresholds=ranking.thresholds,
            timings=SearchTimings(ranking.dense_ms, ranking.lexical_ms, round((perf_counter() - begun) * 1000, 1)),
        )


def _hit(rank: int, found: Found) -> SearchHit:
    hit, chunk = found.hit, found.chunk
    return SearchHit(
        rank=rank,
        document_id=chunk.document_id,
        title=chunk.title,
        version=chunk.version,
        page=chunk.page,
        heading=chunk.heading,
        start=chunk.start,
        end=chunk.end,
        quote=chunk.text,
        score=hit.score,
        relevant=hit.relevant,
        dense=hit.dense,
        lexical=hit.lexical,
    )
