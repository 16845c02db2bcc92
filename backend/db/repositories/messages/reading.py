"""Messages as rows have them."""

from collections.abc import Sequence

from backend.core.values.chat import ContextUse, Message, PendingDocument, Source, Timings, Usage
from backend.db.repositories.rows import AnyRow, read


def message_of(row: AnyRow, sources: Sequence[Source] = (), pending: tuple[PendingDocument, ...] = ()) -> Message:
    """Return a row as a message."""
    found = row._mapping
    usage, timings = found["usage"], found["timings"]
    if usage is not None:
        context = usage["context"]
        usage = Usage(**{**usage, "context": None if context is None else ContextUse(**context)})
    return read(
        Message,
        row,
        usage=usage,
        timings=None if timings is None else Timings(**timings),
        degraded=tuple(found["degraded"]),
        pending_document_ids=tuple(found["pending_document_ids"]),
        sources=tuple(sources),
        pending_documents=pending,
    )
