"""What can be done to messages, on the wire."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from backend.core.values.chat import Question, Rating
from backend.schemas.base import RequestModel, Text
from backend.schemas.chat import HowToAnswer


class RegenerateIn(HowToAnswer):
    """How an answer is to be given anew."""

    def question(self, session_id: UUID) -> Question:
        """Return what the service takes, without the text: it knows that."""
        return self.asking("", session_id)


class FeedbackIn(RequestModel):
    """What somebody thinks of an answer."""

    rating: Rating | None = Field(description="Null takes it back, with its comment.")
    comment: Annotated[Text, Field(max_length=2000)] | None = None
