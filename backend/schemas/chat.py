"""Questions and answers on the wire."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from backend.core.values.chat import Answer, AnswerStatus, Leg, MessageStatus, Question
from backend.schemas.base import NOT_BLANK, DocumentIds, NotBlank, RequestModel, ResponseModel, Storable, Text

ModelId = Annotated[Text, Field(min_length=1, max_length=200)]


class Manner(RequestModel):
    """How a question is to be answered. What is left out is left to the session, the model or the server."""

    model: ModelId | None = None
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=131_072)] | None = None
    strict: bool | None = Field(None, description="Answers from the documents alone, or not; without it as the session says.")

    def asking(self, text: str, session_id: UUID | None, document_ids: Sequence[UUID] | None = None) -> Question:
        """Return a question that is to be answered so."""
        return Question(
            text=text,
            session_id=session_id,
            document_ids=None if document_ids is None else tuple(document_ids),
            model=self.model,
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            strict=self.strict,
        )


class HowToAnswer(Manner):
    """How an answer is to be given to somebody who waits for it."""

    stream: bool = Field(False, description="Answers as server-sent events: run, sources, delta..., done or error.")
    resumable: bool = Field(
        False, description="With `stream`: the answer goes on for a while after a disconnect, and can be resumed."
    )

    @model_validator(mode="after")
    def _only_a_stream_resumes(self) -> Self:
        if self.resumable and not self.stream:
            raise PydanticCustomError("resumable_without_stream", "Only a stream can be resumed: send `stream: true` as well.")
        return self

    def asking(self, text: str, session_id: UUID | None, document_ids: Sequence[UUID] | None = None) -> Question:
        """Return a question that is to be answered so."""
        return replace(super().asking(text, session_id, document_ids), resumable=self.resumable)


class QuestionIn(Manner):
    """A question about the caller's documents."""

    query: Annotated[str, Field(min_length=1, max_length=32_000, pattern=NOT_BLANK), NotBlank, Storable]
    session_id: UUID | None = Field(None, description="Goes on with this session; without it a new one begins.")
    document_ids: DocumentIds | None = Field(None, description="Searches these documents only, instead of the session's choice.")

    def question(self) -> Question:
        """Return what the service takes."""
        return self.asking(self.query, self.session_id, self.document_ids)


class QueryIn(QuestionIn, HowToAnswer):
    """A question about the caller's documents, and how its answer is to be given."""


class SourceOut(ResponseModel):
    """A passage that the answer was given: ``quote`` is the document's text at [start:end], code points."""

    marker: int = Field(description="The number that the answer cites it by, as [1].")
    document_id: UUID
    title: str
    page: int | None
    heading: str | None
    start: int
    end: int
    quote: str
    score: float
    cited: bool = Field(description="Whether the answer bears its marker. Then the quote is what supports the answer best.")
    version: int = Field(description="The version of the document that `start` and `end` count in.")


class ContextOut(ResponseModel):
    """How the model's window was used, in estimated tokens, and what was left out of it: earlier messages, and passages."""

    window: int
    used: int
    dropped_messages: int
    dropped_chunks: int


class UsageOut(ResponseModel):
    """Tokens as the provider counted them; null where it does not tell."""

    prompt_tokens: int | None
    completion_tokens: int | None
    context: ContextOut | None
    rewrite_tokens: int = Field(description="What rewriting the question took besides, as the provider counted it or estimated.")


class TimingsOut(ResponseModel):
    """Milliseconds: how long retrieval took, and the first piece and the end counted from the arrival of the question."""

    retrieval_ms: float | None
    first_token_ms: float | None
    total_ms: float
    rewrite_ms: float | None = Field(description="How long rewriting the question took, before retrieval.")


class PendingDocumentOut(ResponseModel):
    """A document that was still being indexed."""

    id: UUID
    title: str


class OutcomeOut(ResponseModel):
    """How an answer ended: all about it but its text."""

    session_id: UUID
    message_id: UUID
    status: MessageStatus
    answer_status: AnswerStatus = Field(description="How far the answer rests on the documents.")
    finish_reason: str | None
    model: str
    sources: list[SourceOut]
    invented_markers: int = Field(description="How many markers of sources that do not exist were taken out of the answer.")
    usage: UsageOut
    timings: TimingsOut
    degraded: list[Leg] = Field(description="Parts of the search that were down.")
    pending_document_ids: list[UUID] = Field(description="Documents that were still being indexed.")
    pending_documents: list[PendingDocumentOut] = Field(description="The same with their titles.")
    searched_for: str | None = Field(description="The question as it was searched, where that is not how it was asked.")


class AnswerOut(OutcomeOut):
    """An answer with its sources."""

    answer: str

    @classmethod
    def of(cls, answer: Answer) -> "AnswerOut":
        """Build it from the service's answer."""
        outcome = OutcomeOut.model_validate(answer)
        return cls(**dict(outcome), answer=answer.text)
