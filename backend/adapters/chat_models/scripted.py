"""A language model that says what it was told to say."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from backend.core.errors import DocentError
from backend.core.transactions import assert_no_transaction
from backend.ports.chat_model import Finish, FinishReason, Generation, ModelDetails, Piece, Prompt

Step = str | float | asyncio.Event | Exception
"""A piece of text to say, seconds to wait, an event to wait for, or an exception to raise."""


class ScriptedChatModel:
    """Replies with the pieces that it was given, and remembers what it was asked: for tests, demos and laptops without a model.

    Every call of ``stream`` plays the next reply; the last one is repeated. ``prompts`` and ``options`` hold what came with each
    call, ``closed_early`` counts streams that were closed or cancelled before their end, and ``down``, if set, is raised by
    everything. With ``writes`` it is also asked to rewrite questions.
    """

    def __init__(
        self,
        *replies: Sequence[Step],
        provider: str = "scripted",
        default_model: str = "scripted",
        window: int = 8192,
        reason: FinishReason = "stop",
        writes: bool = False,
    ) -> None:
        self.provider = provider
        self.default_model = default_model
        self._writes = writes
        self.prompts: list[Prompt] = []
        self.options: list[Generation] = []
        self.closed_early = 0
        self.down: DocentError | None = None
        self._replies: tuple[Sequence[Step], ...] = replies or (("This answer was scripted.",),)
        self._window = window
        self._reason: FinishReason = reason

    async def stream(self, prompt: Prompt, options: Generation) -> AsyncGenerator[Piece, None]:
        """See ``ChatModel.stream``. The last piece is empty and carries the finish, without counts."""
        assert_no_transaction("calling the language model")
        self._raise_if_down()
        reply = self._replies[min(len(self.prompts), len(self._replies) - 1)]
        self.prompts.append(prompt)
        self.options.append(options)
        try:
            for step in reply:
                if isinstance(step, str):
                    yield Piece(step)
                elif isinstance(step, asyncio.Event):
                    await step.wait()
                elif isinstance(step, Exception):
                    raise step
                else:
                    await asyncio.sleep(step)
        except (GeneratorExit, asyncio.CancelledError):
            self.closed_early += 1
            raise
        yield Piece("", finish=Finish(self._reason))

    async def details(self, model: str) -> ModelDetails:
        """See ``ChatModel.details``; it knows every model."""
        self._raise_if_down()
        return ModelDetails(model, self._window)

    def writes(self, model: str) -> bool:
        """See ``ChatModel.writes``."""
        return self._writes

    async def models(self) -> Sequence[ModelDetails]:
        """See ``ChatModel.models``; it lists the default one."""
        return [await self.details(self.default_model)]

    async def check(self) -> None:
        """See ``ChatModel.check``."""
        self._raise_if_down()

    async def aclose(self) -> None:
        """See ``ChatModel.aclose``."""

    def _raise_if_down(self) -> None:
        if self.down is not None:
            raise self.down
