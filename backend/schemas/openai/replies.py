"""Chat completions as they are answered in OpenAI's shape."""

from typing import Literal, Self
from uuid import UUID

from pydantic import Field

from backend.core.values.chat import Answer, AnswerStatus, Leg
from backend.ports.chat_model import FinishReason
from backend.schemas.base import ResponseModel
from backend.schemas.chat import ContextOut, PendingDocumentOut, SourceOut


class AnnotationOut(SourceOut):
    """A passage that the answer cites: OpenAI's citation of a file, with all that we know of it."""

    type: Literal["file_citation"] = "file_citation"
    file_id: str = Field(description="The same as `document_id`.")
    filename: str = Field(description="The same as `title`.")
    index: int = Field(description="Where the answer first bears its marker, in code points.")


class GroundingOut(ResponseModel):
    """How far an answer rests on the caller's documents."""

    answer_status: AnswerStatus
    sources: list[SourceOut] = Field(description="All passages that the model was given.")
    searched_for: str | None = Field(description="The question as it was searched, where that is not how it was asked.")
    degraded: list[Leg] = Field(description="Parts of the search that were down.")
    pending_document_ids: list[UUID] = Field(description="Documents that were still being indexed.")
    pending_documents: list[PendingDocumentOut]
    context: ContextOut | None
    invented_markers: int

    @classmethod
    def of(cls, answer: Answer) -> Self:
        """Build it from the service's answer."""
        told = {name: getattr(answer, name) for name in cls.model_fields if name != "context"}
        return cls.model_validate({**told, "context": answer.usage.context})


def annotations_of(answer: Answer) -> list[AnnotationOut]:
    """Return a citation for each source that the answer bears the marker of."""
    return [
        AnnotationOut(
            **SourceOut.model_validate(source).model_dump(),
            file_id=str(source.document_id),
            filename=source.title,
            index=max(answer.text.find(f"[{source.marker}]"), 0),
        )
        for source in answer.sources
        if source.cited
    ]


class CompletionMessageOut(ResponseModel):
    """What the model said."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None
    annotations: list[AnnotationOut] = Field(description="The passages that the answer cites.")
    reasoning_content: str | None = Field(
        None, description="What the model thought before, if it did.", exclude_if=lambda thought: thought is None
    )


class ChoiceOut(ResponseModel):
    """The only choice."""

    index: Literal[0] = 0
    message: CompletionMessageOut
    logprobs: None = None
    finish_reason: FinishReason


class CompletionUsageOut(ResponseModel):
    """Tokens as they count for the caller's limit: as the provider counted them, or estimated."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int

    @classmethod
    def of(cls, read: int, said: int) -> Self:
        """Add them up."""
        return cls(prompt_tokens=read, completion_tokens=said, total_tokens=read + said)


class CompletionOut(ResponseModel):
    """A completed chat."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int = Field(description="Seconds since 1970.")
    model: str = Field(description="The one that wrote it.")
    system_fingerprint: None = None
    choices: list[ChoiceOut]
    usage: CompletionUsageOut
    docent: GroundingOut | None = Field(
        None, description="Only of an answer from documents.", exclude_if=lambda grounding: grounding is None
    )
