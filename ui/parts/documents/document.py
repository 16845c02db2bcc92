"""A document as the pages know it, and the words for its state."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Color = Literal["green", "red", "gray", "blue"]

STATES: dict[str, tuple[str, str, Color]] = {
    "ready": ("Ready", ":material/check_circle:", "green"),
    "processing": ("Being read", ":material/sync:", "blue"),
    "pending": ("Waiting", ":material/schedule:", "gray"),
    "failed": ("Failed", ":material/error:", "red"),
}
"""The words, the icon and the color of each."""

STAGES = {"reading": "Reading the file", "embedding": "Indexing its passages"}
UNFINISHED = frozenset({"pending", "processing"})
HOPELESS = frozenset(
    {"document_unreadable", "document_encrypted", "document_without_text", "document_too_complex", "blob_not_found"}
)
"""Why a document failed that will fail again for the same reason, however often it is tried."""


@dataclass(frozen=True, slots=True)
class Document:
    """An uploaded file, and how far it is read. ``done`` of ``total`` passages are indexed."""

    id: str
    title: str
    filename: str
    size: int
    version: int
    live_version: int | None
    status: str
    stage: str | None
    done: int
    total: int
    waiting_for: str | None
    error: str | None
    error_code: str | None
    notes: tuple[str, ...]
    pages: int | None
    passages: int
    indexed_share: float | None
    created_at: datetime

    @classmethod
    def of(cls, told: Any) -> "Document":
        """Read what the API tells. What is missing or of another kind is a KeyError, TypeError or ValueError."""
        progress, error, coverage = told["progress"], told["error"], told["coverage"]
        if told["status"] not in STATES:
            raise ValueError("a state that is not known")
        return cls(
            id=str(told["id"]),
            title=str(told["title"]),
            filename=str(told["filename"]),
            size=int(told["size"]),
            version=int(told["version"]),
            live_version=_number(told["live_version"]),
            status=told["status"],
            stage=_words(told["stage"]),
            done=int(progress["done"]),
            total=int(progress["total"]),
            waiting_for=_words(told["waiting_for"]),
            error=None if error is None else str(error["message"]),
            error_code=None if error is None else str(error["code"]),
            notes=tuple(map(str, told.get("notes") or ())),
            pages=_number(told["pages"]),
            passages=int(told["chunks"]),
            indexed_share=None if coverage is None else _share(coverage["tokens_embedded"], coverage["tokens_extracted"]),
            created_at=datetime.fromisoformat(told["created_at"]),
        )

    @property
    def unfinished(self) -> bool:
        """Whether something is still to be done with it."""
        return self.status in UNFINISHED

    @property
    def may_succeed(self) -> bool:
        """Whether another attempt may end better."""
        return self.status == "failed" and self.error_code not in HOPELESS


def _number(told: Any) -> int | None:
    return None if told is None else int(told)


def _words(told: Any) -> str | None:
    return None if told is None else str(told)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
