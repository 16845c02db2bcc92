"""The lexical leg: by words, BM25 in PostgreSQL."""

from collections.abc import Sequence
from uuid import UUID

from backend.db.repositories.lexicon import LexicalHit
from backend.db.uow import UnitOfWork
from backend.rag.normalising import search_text


class LexicalLeg:
    """Finds the chunks that share the question's words."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def search(
        self, owner_id: UUID, forms: Sequence[str], within: Sequence[UUID] | None, *, depth: int
    ) -> list[list[LexicalHit]]:
        """Return the best chunks for each form of a question, best first."""
        async with self._uow.of(owner_id) as tx:
            return [await tx.lexicon.search(owner_id, search_text(form), within=within, limit=depth) for form in forms]
