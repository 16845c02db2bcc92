"""Language models behind OpenAI's wire format.

Over aiohttp and not the openai SDK: at 32 streams a token costs 67 us of CPU against 292 (554 through langchain), and the first one
is there after 107 ms against 614 (benchmarks/providers.py, two shared cores).
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Final

import aiohttp

from backend.adapters.chat_models.openai_compatible.chunks import Chunks, StreamedError
from backend.adapters.chat_models.openai_compatible.failures import as_error, error_of, missing, refused, unavailable
from backend.adapters.chat_models.openai_compatible.listing import described, entries_of
from backend.adapters.chat_models.openai_compatible.presets import Preset
from backend.adapters.chat_models.openai_compatible.requests import request_for
from backend.adapters.wire.deadlines import Deadlines, StreamClock
from backend.adapters.wire.failures import WIRE_FAILURES, WireError, is_quick
from backend.adapters.wire.http_session import HttpAnswer, HttpSession, let_end
from backend.adapters.wire.sse import events
from backend.core.errors import AnswerCutError, DocentError, ModelUnavailableError
from backend.core.transactions import assert_no_transaction
from backend.ports.chat_model import Generation, ModelDetails, Piece, Prompt

_CONTROL_SECONDS: Final = 10.0
_LISTING_SECONDS: Final = 300.0
# Who could not be asked is left alone for so long, where it is known what it had.
_AGAIN_SECONDS: Final = 10.0
# The reply is over, and what may still come are its counts. Servers send them at once, or never.
_COUNTS_SECONDS: Final = 5.0


class OpenAICompatibleChatModel:
    """See ``ChatModel``. Deadlines are seconds; ``window`` is the context length in tokens that the operator set, if they did.

    A reply is over with its ``finish_reason`` or with ``[DONE]``, whichever a server sends; one with neither was cut. The window
    cannot be told to such a server; what is over its own it refuses.
    """

    def __init__(
        self,
        preset: Preset,
        *,
        key: str | None = None,
        default_model: str = "",
        window: int | None = None,
        connect_timeout: float = 5,
        first_token_timeout: float = 300,
        between_tokens_timeout: float = 60,
    ) -> None:
        self.provider = preset.provider
        self.default_model = default_model
        self._preset = preset
        self._window = window
        self._deadlines = Deadlines(connect_timeout, first_token_timeout, between_tokens_timeout)
        self._http = HttpSession(connect_timeout=connect_timeout, headers={"Authorization": f"Bearer {key}"} if key else None)
        # With the time until which it is believed.
        self._listed: tuple[float, dict[str, ModelDetails]] | None = None

    async def stream(self, prompt: Prompt, options: Generation) -> AsyncGenerator[Piece, None]:
        """See ``ChatModel.stream``."""
        assert_no_transaction("calling the language model")
        clock = self._deadlines.start()
        response = await self._open(prompt, options, clock)
        chunks = Chunks()
        begun = False
        try:
            async with aclosing(events(response.content, clock)) as arriving:
                async for data in arriving:
                    piece = chunks.feed(data)
                    if piece is not None:
                        begun = True
                        yield piece
                        clock.progressed()
                    if chunks.ended:
                        await _counted(chunks, arriving)
                        break
            yield chunks.finish()
            await let_end(response)
        except WIRE_FAILURES as error:
            raise (AnswerCutError() if begun else self._not_begun(error, options.model)) from error
        finally:
            # Not release(): that would read the rest of the answer first. Servers stop generating when the socket closes.
            response.close()

    async def details(self, model: str) -> ModelDetails:
        """See ``ChatModel.details``. What the server listed is believed for five minutes, and on while it cannot be asked.

        The window is what the server tells of the model, or what is known of one of OpenAI's, and at most the operator's setting;
        where nobody knows, it is that setting, else 8,192 tokens.
        """
        assert_no_transaction("asking about a language model")
        listed = await self._catalog()
        # Hugging Face's router takes a name with a server or a policy behind it.
        for name in (model, model.rpartition(":")[0]):
            if name in listed:
                return replace(listed[name], name=model)
        if listed:
            raise missing(self._preset, model)
        return described(self._preset, {"id": model}, window=self._window)

    def writes(self, model: str) -> bool:
        """See ``ChatModel.writes``."""
        return True

    async def models(self) -> Sequence[ModelDetails]:
        """See ``ChatModel.models``."""
        assert_no_transaction("listing the language models")
        listed = await self._catalog()
        return [listed[name] for name in sorted(listed)]

    async def check(self) -> None:
        """See ``ChatModel.check``; without a default model it is about the server alone."""
        assert_no_transaction("checking the language model")
        await self._catalog(anew=True)
        if self.default_model:
            await self.details(self.default_model)

    async def aclose(self) -> None:
        """See ``ChatModel.aclose``."""
        await self._http.aclose()

    async def _open(self, prompt: Prompt, options: Generation, clock: StreamClock) -> aiohttp.ClientResponse:
        """Send the prompt and return the response, whose status is 200; the caller closes it."""
        url, body = request_for(self._preset, prompt, options)
        try:
            async with clock.waiting():
                response = await self._http.opened().post(url, json=body)
                if response.status == 200:
                    return response
                async with response:
                    answer = await response.read()
        except WIRE_FAILURES as error:
            raise self._not_begun(error, options.model) from error
        raise refused(
            self._preset,
            response.status,
            error_of(answer),
            options.model,
            retry_after=response.headers.get("Retry-After"),
        )

    def _not_begun(self, error: BaseException, model: str) -> DocentError:
        if isinstance(error, StreamedError):
            told = as_error(error.answer)
            code = told.get("code")
            return refused(self._preset, code if isinstance(code, int) else None, told, model)
        return ModelUnavailableError(retryable=is_quick(error))

    async def _catalog(self, *, anew: bool = False) -> dict[str, ModelDetails]:
        """Return the models that the server lists, by name; none where it has no such list, or not for this key.

        Raises:
            ModelUnavailableError: It did not answer, and nothing is known from before, or it was to be asked ``anew``.
        """
        known = self._listed
        if known is not None and not anew and time.monotonic() < known[0]:
            return known[1]
        try:
            listed = await self._list()
        except ModelUnavailableError:
            if known is None or anew:
                raise
            self._listed = (time.monotonic() + _AGAIN_SECONDS, known[1])
            return known[1]
        self._listed = (time.monotonic() + _LISTING_SECONDS, listed)
        return listed

    async def _list(self) -> dict[str, ModelDetails]:
        answer = await self._exchange(f"{self._preset.base_url}/models")
        if answer.status in {403, 404, 405, 501}:
            return {}
        if answer.status != 200:
            raise unavailable(self._preset, answer.status, error_of(answer.body))
        try:
            entries = entries_of(answer.body)
        except WireError as error:
            raise ModelUnavailableError from error
        running = await self._running_window()
        details = [described(self._preset, entry, window=self._window, running=running) for entry in entries]
        return {each.name: each for each in details}

    async def _running_window(self) -> int | None:
        """Return the window that a llama.cpp was started with: the model's own is often larger, and would be too large to use."""
        if self._preset.provider != "llamacpp":
            return None
        answer = await self._exchange(f"{self._preset.base_url.removesuffix('/v1')}/props")
        try:
            settings = answer.json().get("default_generation_settings") if answer.status == 200 else None
        except WireError:
            return None  # Something between us may keep it back; the listing is enough to go on.
        window = settings.get("n_ctx") if isinstance(settings, dict) else None
        return window if isinstance(window, int) and window > 0 else None

    async def _exchange(self, url: str) -> HttpAnswer:
        try:
            return await self._http.exchange("GET", url, within=_CONTROL_SECONDS)
        except WIRE_FAILURES as error:
            raise ModelUnavailableError(retryable=is_quick(error)) from error


async def _counted(chunks: Chunks, arriving: AsyncGenerator[bytes, None]) -> None:
    """Read what comes behind the end of the reply. Whatever goes wrong there, the reply is whole."""
    with suppress(*WIRE_FAILURES):
        async with asyncio.timeout(_COUNTS_SECONDS):
            while not chunks.done and (data := await anext(arriving, None)) is not None:
                chunks.feed(data)
