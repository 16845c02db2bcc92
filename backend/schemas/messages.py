"""What can be done to messages, on the wire."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from backend.core.values.chat import Question, Rating
from backend.schemas.base import RequestModel, Text


class RegenerateIn(RequestModel):
    """How an answer is to be given anew."""

    model: Annotated[Text, Field(min_length=1, max_length=200)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=131_072)] | None = None
    stream: bool = Field(False, description="Answers as server-sent events: run, sources, delta..., done or error.")

    def question(self, session_id: UUID) -> Question:
        """Return what the service takes, without the text: it knows that."""
        return Question(text="", session_id=session_id, model=self.model, temperature=self.temperature, max_tokens=self.max_tokens)


class FeedbackIn(RequestModel):
    """What somebody thinks of an answer."""

    rating: Rating | None = Field(description="Null takes it back, with its comment.")
    comment: Annotated[Text, Field(max_length=2000)] | None = None
