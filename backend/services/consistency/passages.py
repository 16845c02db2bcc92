"""Documents and passages, as the database alone shows them."""

from collections.abc import AsyncIterator
from uuid import UUID

from backend.core.errors import ConfigurationError
from backend.core.values.defect import Compared, Defect
from backend.db.repositories.consistency import Passage
from backend.db.repositories.texts import LONGEST_TEXT
from backend.db.uow import UnitOfWork
from backend.services.embedders import Embedders
from backend.services.indexing.chunks import searched_text

DOCUMENTS_AT_ONCE = 200
PASSAGES_AT_ONCE = 500


class PassageExaminer:
    """Looks at an owner's rows. Memory is bounded by the text of one document."""

    def __init__(self, uow: UnitOfWork, embedders: Embedders) -> None:
        self._uow = uow
        self._embedders = embedders

    async def rows(self, owner_id: UUID) -> AsyncIterator[Defect]:
        """Yield what one statement shows to be wrong: counts, gaps, leftovers, and what waits for ever."""
        async with self._uow.of(owner_id) as tx:
            found = await tx.consistency.disagreements(owner_id)
            servable = not any(kind == "embeddings_missing" for kind, _, _ in found)
            if not servable:
                try:
                    await self._embedders.of_owner(tx, owner_id)
                    servable = True
                except ConfigurationError:
                    servable = False
        for kind, subject, count in found:
            yield Defect(kind, owner_id, subject, count, repairable=servable or kind != "embeddings_missing")

    async def texts(self, owner_id: UUID, compared: Compared) -> AsyncIterator[Defect]:
        """Yield documents with passages that are not what the text says at their place, or cannot be searched by its words."""
        after: UUID | None = None
        while True:
            async with self._uow.of(owner_id) as tx:
                documents = await tx.consistency.documents(owner_id, after=after, limit=DOCUMENTS_AT_ONCE)
            if not documents:
                return
            for document_id, live_version in documents:
                after = document_id
                compared.documents += 1
                if live_version is None:
                    continue
                if wrong := await self._wrong(owner_id, document_id, live_version, compared):
                    yield Defect("chunk_text_mismatch", owner_id, str(document_id), wrong)

    async def _wrong(self, owner_id: UUID, document_id: UUID, version: int, compared: Compared) -> int:
        async with self._uow.of(owner_id) as tx:
            found = await tx.texts.slice(owner_id, document_id, version, start=0, end=LONGEST_TEXT)
        wrong, after = 0, -1
        while True:
            async with self._uow.of(owner_id) as tx:
                passages = await tx.consistency.passages(owner_id, document_id, version, after=after, limit=PASSAGES_AT_ONCE)
            if not passages:
                return wrong
            after = passages[-1].ordinal
            compared.chunks += len(passages)
            wrong += sum(not _agrees(passage, None if found is None else found[0]) for passage in passages)


def _agrees(passage: Passage, text: str | None) -> bool:
    """Tell whether a passage is what the text says, if there is one: that it is gone is another defect."""
    return (
        passage.searchable
        and (text is None or passage.text == text[passage.start : passage.end])
        and passage.search_text == searched_text(passage.heading, passage.text)
    )
