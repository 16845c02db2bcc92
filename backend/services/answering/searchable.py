"""Which documents a question is answered from, and how they stand."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from backend.core.errors import DocumentNotFoundError
from backend.core.values.chat import PendingDocument
from backend.core.values.document import UNFINISHED
from backend.core.values.user import Reach
from backend.db.repositories.documents import Standing
from backend.db.uow import Transaction


@dataclass(frozen=True, slots=True)
class Searchable:
    """The documents that are searched (``within``; ``None``: all), whether one of them is ready, and those that are not yet."""

    within: tuple[UUID, ...] | None
    ready: bool
    pending_documents: tuple[PendingDocument, ...]


async def searchable(
    tx: Transaction,
    owner_id: UUID,
    reach: Reach,
    *,
    wanted: tuple[UUID, ...] | None,
    otherwise: tuple[UUID, ...] | None = None,
) -> Searchable:
    """Return what a question is answered from: the documents that it wants, or else others, as far as its credential reaches.

    Raises:
        DocumentNotFoundError: One of those that it wants is not the caller's, or is out of reach.
    """
    within = reach.narrowed(wanted or otherwise)
    standings = await tx.documents.standings(owner_id, within)
    if wanted is not None and len(standings) < len(set(wanted)):
        raise DocumentNotFoundError
    return searchable_now(within, standings)


def searchable_now(within: tuple[UUID, ...] | None, standings: Mapping[UUID, Standing]) -> Searchable:
    """Return what can be searched of documents that stand so."""
    pending = tuple(
        PendingDocument(document_id, found.title) for document_id, found in standings.items() if found.status in UNFINISHED
    )
    return Searchable(within, any(standing.live for standing in standings.values()), pending)
