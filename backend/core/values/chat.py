"""Conversations and answers."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

MessageRole = Literal["user", "assistant"]
MessageStatus = Literal["streaming", "complete", "incomplete", "stopped"]
AnswerStatus = Literal["grounded", "not_in_documents", "no_documents", "still_indexing", "not_searched"]
Leg = Literal["dense", "lexical"]
Rating = Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class ChatSession:
    """A conversation. ``document_ids`` limits its retrieval; ``None`` means all of the owner's documents.

    A ``strict`` one is answered from the documents alone. One that is not ``titled`` bears its first question for a title.
    ``model`` answers its questions that name none; ``None`` means the default of whoever asks.
    """

    id: UUID
    owner_id: UUID
    title: str
    document_ids: tuple[UUID, ...] | None
    created_at: datetime
    updated_at: datetime
    strict: bool = False
    titled: bool = False
    model: str | None = None


LONGEST_ANSWER = timedelta(hours=1)
"""An answer that has been streaming for longer belongs to a process that is gone."""
ANSWER_LEASE = timedelta(seconds=20)
"""And so does one that its process has renewed, but not for so long."""


@dataclass(frozen=True, slots=True)
class Source:
    """A passage that the model was given under ``[marker]``; ``quote`` is the text at [start:end] of the document's ``version``."""

    marker: int
    document_id: UUID
    title: str
    page: int | None
    heading: str | None
    start: int
    end: int
    quote: str
    score: float
    cited: bool
    version: int = 1


@dataclass(frozen=True, slots=True)
class PendingDocument:
    """A document that was still being indexed when it would have been searched."""

    id: UUID
    title: str


@dataclass(frozen=True, slots=True)
class ContextUse:
    """How the model's window was used, in tokens, and what was left out of it."""

    window: int
    used: int
    dropped_messages: int
    dropped_chunks: int


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of the answer; counts are ``None`` where the provider does not tell.

    ``rewrite_tokens`` are those of rewriting the question, read and written, which the other counts do not include: as the provider
    counted them, or estimated.
    """

    prompt_tokens: int | None
    completion_tokens: int | None
    context: ContextUse | None
    rewrite_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds: how long retrieval took, and the first piece and the end counted from the arrival of the question.

    ``rewrite_ms`` is how long the model took to rewrite the question, which ``retrieval_ms`` does not include.
    """

    retrieval_ms: float | None
    first_token_ms: float | None
    total_ms: float
    rewrite_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A stored question or answer. A ``superseded`` answer was given anew, and the conversation goes on without it.

    ``searched_for`` is the question as it was searched, where that is not how it was asked. ``pending_documents`` have their titles
    of today, where one message is read by itself.
    """

    id: UUID
    session_id: UUID
    role: MessageRole
    content: str
    status: MessageStatus
    answer_status: AnswerStatus | None
    finish_reason: str | None
    error_code: str | None
    model: str | None
    usage: Usage | None
    timings: Timings | None
    degraded: tuple[Leg, ...]
    pending_document_ids: tuple[UUID, ...]
    created_at: datetime
    superseded: bool = False
    searched_for: str | None = None
    invented_markers: int = 0
    feedback: Rating | None = None
    feedback_comment: str | None = None
    sources: tuple[Source, ...] = ()
    pending_documents: tuple[PendingDocument, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What a caller asks. ``None`` leaves a value to the session, the model or the server.

    A ``strict`` question is answered from the documents alone. If it is ``resumable``, its streamed answer goes on for a while
    after its last reader has left.
    """

    text: str
    session_id: UUID | None = None
    document_ids: tuple[UUID, ...] | None = None
    model: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    strict: bool | None = None
    resumable: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished answer, whichever way it ended. ``searched_for`` and ``invented_markers`` are as in ``Message``."""

    text: str
    session_id: UUID
    message_id: UUID
    status: MessageStatus
    answer_status: AnswerStatus
    model: str
    sources: tuple[Source, ...]
    usage: Usage
    timings: Timings
    finish_reason: str | None = None
    error_code: str | None = None
    degraded: tuple[Leg, ...] = ()
    pending_documents: tuple[PendingDocument, ...] = ()
    searched_for: str | None = None
    invented_markers: int = 0

    @property
    def pending_document_ids(self) -> tuple[UUID, ...]:
        """The ids of the documents that were still being indexed."""
        return tuple(document.id for document in self.pending_documents)
