"""The retriever: rank, read, join."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from backend.core.errors import DatabaseUnavailableError
from backend.core.values.chat import Leg
from backend.core.values.search import Ranked, RankedChunk
from backend.db.repositories.chunks import FoundChunk
from backend.db.repositories.texts import Span
from backend.db.uow import UnitOfWork
from backend.ports.chat_model import Passage
from backend.ports.vector_index import VectorIndex
from backend.rag.joining import Run, joined, touching
from backend.rag.selection import BUDGET_CHARACTERS, within_budget
from backend.services.embedders import Embedders
from backend.services.retrieval.dense import EXACT_CHUNKS, DenseLeg
from backend.services.retrieval.legs import Deadlines, Heard, heard
from backend.services.retrieval.lexical import LexicalLeg
from backend.services.retrieval.questions import forms_of
from backend.services.retrieval.ranking import ranked, thresholds_of

DEPTH = 100
"""How many chunks each leg returns for each form of a question."""
FETCHED = 30
"""How many relevant chunks have their texts fetched: more than the prompt's budget can hold."""
DEADLINES = Deadlines()

Hit = TypeVar("Hit")


@dataclass(frozen=True, slots=True)
class Retrieved:
    """Relevant passages, best first, with markers from 1; ``degraded`` names the legs that were down or late."""

    passages: tuple[Passage, ...]
    degraded: tuple[Leg, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A chunk of the ranking that can still be read."""

    hit: RankedChunk
    chunk: FoundChunk


class Retriever:
    """Finds passages. Every query carries the owner, and row-level security stands behind it.

    ``questions`` are the forms of one question, best first: for a follow-up those that stand alone, then the one that was asked.
    Each is searched for; what is relevant is judged by those before the last. A form without any word is passed over.
    """

    def __init__(
        self,
        uow: UnitOfWork,
        index: VectorIndex,
        embedders: Embedders,
        *,
        deadlines: Deadlines = DEADLINES,
        exact_chunks: int = EXACT_CHUNKS,
    ) -> None:
        self._uow = uow
        self._dense = DenseLeg(uow, index, embedders, exact_chunks=exact_chunks)
        self._lexical = LexicalLeg(uow)
        self._deadlines = deadlines

    async def retrieve(self, owner_id: UUID, questions: str | Sequence[str], *, within: Sequence[UUID] | None) -> Retrieved:
        """Return the passages that bear on a question, of all the owner's ready documents or of those in ``within``.

        Near duplicates are left out, the best chunks taken as far as the budget goes, and those of one text that touch joined. One
        leg may be down: the other answers, and the result says so.

        Raises:
            DatabaseUnavailableError: PostgreSQL is down, or neither leg has answered.
        """
        ranking, found = await self._found(owner_id, questions, within, _relevant)
        return Retrieved(await self._passages(owner_id, found), ranking.degraded)

    async def search(
        self, owner_id: UUID, questions: str | Sequence[str], *, within: Sequence[UUID] | None, limit: int
    ) -> tuple[Ranked, list[Found]]:
        """Return the ranking, and its first ``limit`` chunks with their texts, relevant or not. Errors as ``retrieve``."""
        return await self._found(owner_id, questions, within, lambda hits: hits[:limit])

    async def rank(
        self, owner_id: UUID, questions: str | Sequence[str], within: Sequence[UUID] | None = None, *, depth: int = DEPTH
    ) -> Ranked:
        """Return the fused ranking with the rank of each leg, relevant or not; each leg looks ``depth`` deep for each form.

        Errors as ``retrieve``.
        """
        forms = forms_of(questions)
        async with self._uow.of(owner_id) as tx:
            ground = await self._dense.ground(tx, owner_id, whole=within is None and bool(forms))
        embedder, thresholds = ground.embedder, thresholds_of(ground.embedder)
        if not forms:
            return Ranked((), (), embedder.identity, embedder.dense_weight, thresholds, None, None)
        begun = asyncio.get_running_loop().time()
        until = begun + self._deadlines.dense
        # Both are heard out, also where one fails: what is left alone would go on unheard.
        outcomes = await asyncio.gather(
            heard("dense", lambda: self._dense.search(owner_id, ground, forms, within, depth=depth, until=until), until),
            heard("lexical", lambda: self._lexical.search(owner_id, forms, within, depth=depth), begun + self._deadlines.lexical),
            return_exceptions=True,
        )
        dense, lexical = _said(outcomes[0]), _said(outcomes[1])
        if dense.down and lexical.down:
            # Nothing was searched, and an answer would claim that nothing is there.
            raise DatabaseUnavailableError("The search is not available right now.")
        legs: tuple[tuple[Leg, bool], ...] = (("dense", dense.down), ("lexical", lexical.down))
        return Ranked(
            hits=ranked(dense.found, lexical.found, dense_weight=embedder.dense_weight, thresholds=thresholds),
            degraded=tuple(leg for leg, down in legs if down),
            embedder=embedder.identity,
            dense_weight=embedder.dense_weight,
            thresholds=thresholds,
            dense_ms=dense.ms,
            lexical_ms=lexical.ms,
        )

    async def _found(
        self,
        owner_id: UUID,
        questions: str | Sequence[str],
        within: Sequence[UUID] | None,
        choose: Callable[[Sequence[RankedChunk]], Sequence[RankedChunk]],
    ) -> tuple[Ranked, list[Found]]:
        ranking = await self.rank(owner_id, questions, within)
        found, complete = await self._read(owner_id, choose(ranking.hits))
        if not complete:
            # A new version took its document's place between the search and the reading: the question is asked again, once.
            ranking = await self.rank(owner_id, questions, within)
            found, _ = await self._read(owner_id, choose(ranking.hits))
        return ranking, found

    async def _read(self, owner_id: UUID, hits: Sequence[RankedChunk]) -> tuple[list[Found], bool]:
        """Return the texts of chunks, and whether each could still be read."""
        if not hits:
            return [], True
        async with self._uow.of(owner_id) as tx:
            chunks = await tx.chunks.found(owner_id, [hit.chunk_id for hit in hits])
        found = [Found(hit, chunks[hit.chunk_id]) for hit in hits if hit.chunk_id in chunks]
        return found, len(found) == len(hits)

    async def _passages(self, owner_id: UUID, found: Sequence[Found]) -> tuple[Passage, ...]:
        found = [found[place] for place in within_budget([one.chunk.text for one in found])]
        chosen = [_passage(marker, one) for marker, one in enumerate(found, start=1)]
        runs = touching(chosen, room=BUDGET_CHARACTERS - sum(len(passage.text) for passage in chosen))
        if len(runs) == len(chosen):
            return tuple(chosen)
        several = [run for run in runs if len(run) > 1]
        async with self._uow.of(owner_id) as tx:
            # What the documents say from the first chunk of a run to the last, what lies between them included.
            texts = await tx.texts.spans(owner_id, [_span(run) for run in several])
        return joined(runs, {run: texts.get(_span(run)) for run in several})


def _said(outcome: Heard[Hit] | BaseException) -> Heard[Hit]:
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


def _relevant(hits: Sequence[RankedChunk]) -> Sequence[RankedChunk]:
    return [hit for hit in hits if hit.relevant][:FETCHED]


def _span(run: Run) -> Span:
    return Span(run[0].document_id, run[0].version, run[0].start, max(chunk.end for chunk in run))


def _passage(marker: int, found: Found) -> Passage:
    chunk = found.chunk
    return Passage(
        marker=marker,
        chunk_id=chunk.id,
        document_id=chunk.document_id,
        title=chunk.title,
        page=chunk.page,
        heading=chunk.heading,
        start=chunk.start,
        end=chunk.end,
        text=chunk.text,
        score=found.hit.score,
        version=chunk.version,
    )
