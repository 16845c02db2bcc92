"""From the messages of a request to a question and what was said before it."""

from collections.abc import Sequence
from dataclasses import dataclass

from backend.core.errors import QuestionMissingError, QuestionTooLongError
from backend.ports.chat_model import Turn

LONGEST_QUESTION = 32_000
"""Characters, as at our own door: what is longer is no question to search with."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A question with its history, oldest first. ``wishes`` is what the system messages say, wherever they stand."""

    question: str
    history: tuple[Turn, ...]
    wishes: str


def conversation_of(turns: Sequence[Turn]) -> Conversation:
    """Take messages apart: the last one of the user is the question. What follows it is not part of the conversation yet.

    Raises:
        QuestionMissingError: No message of the user, or nothing in the last one.
        QuestionTooLongError: It is longer than ``LONGEST_QUESTION``.
    """
    asked = max((place for place, turn in enumerate(turns) if turn.role == "user"), default=-1)
    question = turns[asked].content if asked >= 0 else ""
    if not question.replace("\ufeff", "").strip():
        raise QuestionMissingError
    if len(question) > LONGEST_QUESTION:
        raise QuestionTooLongError
    history = tuple(turn for turn in turns[:asked] if turn.role != "system" and turn.content)
    wishes = "\n\n".join(turn.content for turn in turns if turn.role == "system" and turn.content.strip())
    return Conversation(question, history, wishes)
