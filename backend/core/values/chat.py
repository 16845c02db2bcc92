"""Conversations and answers."""

from dataclasses import dataclass, field
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
    """

    id: UUID
    owner_id: UUID
    title: str
    document_ids: tuple[UUID, ...] | None
    created_at: datetime
    updated_at: datetime
    strict: bool = False
    titled: bool = False


LONGEST_ANSWER = timedelta(hours=1)
"""An answer that has been streaming for longer belongs to a process that is gone."""


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
class ContextUse:
    """How the model's window was used, in tokens, and what was left out of it."""

    window: int
    used: int
    dropped_messages: int
    dropped_chunks: int


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of the answer; counts are ``None`` where the provider does not tell."""

    prompt_tokens: int | None
    completion_tokens: int | None
    context: ContextUse | None


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds: how long retrieval took, and the first piece and the end counted from the arrival of the question."""

    retrieval_ms: float | None
    first_token_ms: float | None
    total_ms: float


@dataclass(frozen=True, slots=True)
class Message:
    """A stored question or answer. A ``superseded`` answer was given anew, and the conversation goes on without it.

    ``searched_for`` is the question as it was searched, where that is not how it was asked.
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


@dataclass(frozen=True, slots=True)
class Question:
    """What a caller asks. ``None`` leaves a value to the session, the model or the server.

    If it is ``resumable``, its streamed answer goes on for a while after its last reader has left.
    """

    text: str
    session_id: UUID | None = None
    document_ids: tuple[UUID, ...] | None = None
    model: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
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
    pending_document_ids: tuple[UUID, ...] = field(default=())
    searched_for: str | None = None
    invented_markers: int = 0
