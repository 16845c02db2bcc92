"""What somebody might ask of their documents."""

import asyncio
from collections import Counter, deque
from collections.abc import Iterator, Sequence, Set
from uuid import UUID

from backend.core.clock import now
from backend.core.errors import DocumentNotFoundError, SessionNotFoundError
from backend.core.values.search import Suggestion
from backend.core.values.user import EVERYTHING, Reach
from backend.db.repositories.chunks import SampledChunk
from backend.db.uow import Transaction, UnitOfWork
from backend.rag.suggesting import question, words_of

SPARE_DOCUMENTS = 4
"""So many more documents are looked at than questions are wanted, for not every one suggests any."""


class SuggestionService:
    """Suggests questions that an owner's own ready documents answer, without asking a model."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def suggest(
        self,
        owner_id: UUID,
        *,
        limit: int,
        document_ids: tuple[UUID, ...] | None = None,
        session_id: UUID | None = None,
        reach: Reach = EVERYTHING,
    ) -> list[Suggestion]:
        """Return up to so many questions, of the newest documents first, and of as many different ones as there are.

        They stay the same for a day, as long as the documents do. ``session_id`` stands for the documents of a conversation.

        Raises:
            DocumentNotFoundError: One of ``document_ids`` is not the caller's, or is out of reach.
            SessionNotFoundError: The caller has no such session.
        """
        async with self._uow.of(owner_id) as tx:
            within = await _within(tx, owner_id, document_ids, session_id, reach)
            chunks = await tx.chunks.sampled(owner_id, within, documents=limit + SPARE_DOCUMENTS, turn=now().date().toordinal())
        # Some milliseconds of work, which the loop does not wait for.
        return await asyncio.to_thread(_suggestions, chunks, limit)


async def _within(
    tx: Transaction, owner_id: UUID, document_ids: tuple[UUID, ...] | None, session_id: UUID | None, reach: Reach
) -> tuple[UUID, ...] | None:
    wanted = document_ids
    if session_id is not None:
        session = await tx.sessions.get(owner_id, session_id, key_id=reach.key_id)
        if session is None:
            raise SessionNotFoundError
        wanted = wanted or session.document_ids
    within = reach.narrowed(wanted)
    if document_ids is not None and len(await tx.documents.standings(owner_id, within)) < len(set(document_ids)):
        raise DocumentNotFoundError
    return within


def _suggestions(chunks: Sequence[SampledChunk], limit: int) -> list[Suggestion]:
    """Return the questions: the first one of each document, then the second one of each, and so on, no more than are wanted."""
    of: dict[UUID, list[SampledChunk]] = {}
    for chunk in chunks:
        of.setdefault(chunk.document_id, []).append(chunk)
    spread = Counter(word for own in of.values() for word in set[str]().union(*(words_of(chunk.text) for chunk in own)))
    everywhere = {word for word, count in spread.items() if len(of) > 1 and 2 * count > len(of)}
    asked: dict[str, Suggestion] = {}
    waiting = deque((document_id, _questions(own, everywhere)) for document_id, own in of.items())
    while waiting and len(asked) < limit:
        document_id, questions = waiting.popleft()
        made = next((made for made in questions if made.casefold() not in asked), None)
        if made is not None:
            asked[made.casefold()] = Suggestion(made, document_id)
            waiting.append((document_id, questions))
    return list(asked.values())


def _questions(chunks: Sequence[SampledChunk], everywhere: Set[str]) -> Iterator[str]:
    made = (question(chunk.heading, chunk.text, chunk.language, everywhere=everywhere) for chunk in chunks)
    return (one for one in made if one is not None)
