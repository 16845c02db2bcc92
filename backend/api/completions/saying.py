"""What is said in a completion, wherever it comes from: an answer from documents, or a model's own reply."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from backend.core.errors import AnswerCutError, DocentError, ServerStoppingError
from backend.core.values.chat import Answer
from backend.ports.chat_model import FinishReason
from backend.services.answering.events import Delta
from backend.services.answering.turn import Turn
from backend.services.generating.reply import Generated, Reply
from backend.services.quotas import spent

_STORED: Mapping[str, FinishReason] = {"length": "length", "content_filter": "content_filter"}

Field = Literal["content", "reasoning_content"]
Said = tuple[Field, str]
"""Where a piece of text belongs, and the text."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a completion ended. ``answer`` is set of one that rests on documents."""

    model: str
    text: str
    thinking: str
    finish_reason: FinishReason
    prompt_tokens: int
    completion_tokens: int
    answer: Answer | None = None


class Saying(Protocol):
    """A completion that is being given."""

    @property
    def model(self) -> str:
        """Who writes it; certain once something was said."""
        ...

    async def opened(self, seconds: float) -> None:
        """See ``Source.opened``."""
        ...

    def leave(self) -> None:
        """See ``Source.leave``."""
        ...

    async def take(self) -> list[Said]:
        """Return what is said next, at least one text; an empty list after the last one."""
        ...

    async def ending(self) -> Ending:
        """Return how it ended; of one that is not streamed, without having been read before.

        Raises:
            DocentError: It failed, or was cut.
        """
        ...

    async def settled(self) -> None:
        """Return once it has ended, and what it took is noted."""
        ...


class Plain:
    """A model's own reply; its text and its thinking pass as they are."""

    def __init__(self, reply: Reply, *, streamed: bool) -> None:
        self._reply = reply
        self._streamed = streamed
        self.opened = reply.opened
        self.leave = reply.leave

    @property
    def model(self) -> str:
        """See ``Saying.model``."""
        return self._reply.model

    async def take(self) -> list[Said]:
        """See ``Saying.take``."""
        said: list[Said] = []
        while not said and (pieces := await self._reply.take()):
            for piece in pieces:
                if piece.thinking:
                    said.append(("reasoning_content", piece.thinking))
                if piece.text:
                    said.append(("content", piece.text))
        return said

    async def ending(self) -> Ending:
        """See ``Saying.ending``."""
        generated = await (self._reply.generated() if self._streamed else self._reply.whole())
        if (error := _failure(generated)) is not None or generated.finish is None:
            raise error or AnswerCutError
        return Ending(
            model=generated.model,
            text=generated.text,
            thinking=generated.thinking,
            finish_reason=generated.finish.reason,
            prompt_tokens=generated.prompt_tokens,
            completion_tokens=generated.completion_tokens,
        )

    async def settled(self) -> None:
        """See ``Saying.settled``."""
        await self._reply.generated()


class Grounded:
    """An answer from documents."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self.opened = turn.opened
        self.leave = turn.leave
        self.settled = turn.settled

    @property
    def model(self) -> str:
        """See ``Saying.model``."""
        return self._turn.written_by or self._turn.asked.model

    async def take(self) -> list[Said]:
        """See ``Saying.take``."""
        said: list[Said] = []
        while not said and (events := await self._turn.take()):
            said = [("content", event.text) for event in events if isinstance(event, Delta)]
        return said

    async def ending(self) -> Ending:
        """See ``Saying.ending``."""
        answer = await self._turn.answer()
        if answer.finish_reason is None:
            raise AnswerCutError
        read, written = spent(answer)
        return Ending(
            model=answer.model,
            text=answer.text,
            thinking="",
            finish_reason=_STORED.get(answer.finish_reason, "stop"),
            prompt_tokens=read,
            completion_tokens=written,
            answer=answer,
        )


def _failure(generated: Generated) -> DocentError | None:
    """Return why a reply is not whole. One that ended by itself says so; else the server is being stopped."""
    if generated.error is None and generated.finish is None:
        return ServerStoppingError()
    return generated.error
