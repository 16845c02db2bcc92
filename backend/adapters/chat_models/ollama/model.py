"""Language models served by Ollama, over its own API."""

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, Final

import aiohttp

from backend.adapters.chat_models.ollama.library import listed, missing, named, shown, with_tag
from backend.adapters.chat_models.ollama.lines import Lines
from backend.adapters.chat_models.ollama.requests import request_for
from backend.adapters.wire.deadlines import Deadlines, StreamClock
from backend.adapters.wire.failures import (
    NO_FAULT_OF_THE_REQUEST,
    WIRE_FAILURES,
    WireError,
    is_about_length,
    is_quick,
    refusal_text,
    told_lengths,
)
from backend.adapters.wire.http_session import HttpAnswer, HttpSession, let_end
from backend.adapters.wire.ndjson import objects
from backend.core.errors import AnswerCutError, DocentError, ModelRefusedError, ModelUnavailableError, PromptTooLongError
from backend.core.transactions import assert_no_transaction
from backend.ports.chat_model import Generation, ModelDetails, Piece, Prompt

# A model's own window may be 131,072 tokens, whose cache would take more memory than the model itself.
_WINDOW_CEILING: Final = 8192
# What Ollama runs with where neither the request nor the model says anything.
_WINDOW_DEFAULT: Final = 4096
_CONTROL_SECONDS: Final = 10.0
_DETAILS_SECONDS: Final = 300.0
_DETAILS_KEPT: Final = 256


class OllamaChatModel:
    """See ``ChatModel``. Deadlines are seconds; ``window`` is the context length in tokens that the operator set, if they did.

    Every prompt is sent with ``truncate: false`` and ``shift: false``: without them Ollama drops old messages, and tokens from the
    middle of the last one, and says nothing. An over-long prompt is an error instead.
    """

    provider = "ollama"

    def __init__(
        self,
        base_url: str,
        *,
        default_model: str,
        window: int | None = None,
        connect_timeout: float = 5,
        first_token_timeout: float = 300,
        between_tokens_timeout: float = 60,
        keep_alive: str | int | None = None,
    ) -> None:
        self.default_model = default_model
        self._base_url = base_url.rstrip("/")
        self._window = window
        self._deadlines = Deadlines(connect_timeout, first_token_timeout, between_tokens_timeout)
        self._keep_alive = keep_alive
        self._http = HttpSession(connect_timeout=connect_timeout)
        self._details: dict[str, tuple[float, ModelDetails]] = {}

    async def stream(self, prompt: Prompt, options: Generation) -> AsyncGenerator[Piece, None]:
        """See ``ChatModel.stream``."""
        assert_no_transaction("calling the language model")
        clock = self._deadlines.start()
        response = await self._open(prompt, options, clock)
        replies = Lines()
        begun = False
        try:
            async with aclosing(objects(response.content, clock)) as lines:
                async for line in lines:
                    piece = replies.feed(line)
                    if piece is None:
                        continue
                    begun = True
                    yield piece
                    if piece.finish is not None:
                        await let_end(response)
                        return
            raise WireError("the stream ended without done")
        except WIRE_FAILURES as error:
            raise (AnswerCutError() if begun else ModelUnavailableError(retryable=is_quick(error))) from error
        finally:
            # Not release(): that would read the rest of the answer first. Ollama stops generating when the socket closes.
            response.close()

    async def details(self, model: str) -> ModelDetails:
        """See ``ChatModel.details``. What Ollama said is believed for five minutes.

        The window is the operator's setting, else the one that the model is loaded with, for another would load it anew (one below
        Ollama's default is not kept), else 8,192 tokens; never more than the model has, for Ollama would silently use that.
        """
        assert_no_transaction("asking about a language model")
        known = self._details.get(model)
        if known is not None and time.monotonic() - known[0] < _DETAILS_SECONDS:
            return known[1]
        answer = await self._control("POST", "/api/show", model, {"model": model})
        info = answer.get("model_info")
        longest = _context_length(info) if isinstance(info, dict) else None
        window = self._window or await self._loaded_window(model) or (_WINDOW_CEILING if longest else _WINDOW_DEFAULT)
        details = shown(model, min(window, longest) if longest else window, answer)
        if len(self._details) >= _DETAILS_KEPT:
            # The names come from requests and have many spellings.
            self._details.clear()
        self._details[model] = (time.monotonic(), details)
        return details

    def writes(self, model: str) -> bool:
        """See ``ChatModel.writes``."""
        return True

    async def models(self) -> Sequence[ModelDetails]:
        """See ``ChatModel.models``."""
        assert_no_transaction("listing the language models")
        return await listed(await self._control("GET", "/api/tags", self.default_model), self.details)

    async def check(self) -> None:
        """See ``ChatModel.check``."""
        assert_no_transaction("checking the language model")
        await self._control("GET", "/api/version", self.default_model)
        tags = await self._control("GET", "/api/tags", self.default_model)
        installed = {with_tag(str(entry.get("name"))) for entry in named(tags)}
        if with_tag(self.default_model) not in installed:
            raise missing(self.default_model)

    async def aclose(self) -> None:
        """See ``ChatModel.aclose``."""
        await self._http.aclose()

    async def _loaded_window(self, model: str) -> int | None:
        """Return the window that the model is running with, if it is loaded, Ollama tells, and it is worth keeping."""
        try:
            running = await self._control("GET", "/api/ps", model)
        except ModelUnavailableError:
            return None  # It may be too old to know; what it can do with the model is asked elsewhere.
        for entry in named(running):
            if with_tag(str(entry.get("name"))) == with_tag(model):
                length = entry.get("context_length")
                return length if isinstance(length, int) and length >= _WINDOW_DEFAULT else None
        return None

    async def _open(self, prompt: Prompt, options: Generation, clock: StreamClock) -> aiohttp.ClientResponse:
        """Send the prompt and return the response, whose status is 200; the caller closes it."""
        path, body = request_for(prompt, options, keep_alive=self._keep_alive)
        try:
            async with clock.waiting():
                response = await self._http.opened().post(self._base_url + path, json=body)
                if response.status == 200:
                    return response
                async with response:
                    answer = HttpAnswer(response.status, await response.read())
        except WIRE_FAILURES as error:
            raise ModelUnavailableError(retryable=is_quick(error)) from error
        raise _refused(answer, options.model)

    async def _control(self, method: str, path: str, model: str, body: object | None = None) -> dict[str, Any]:
        try:
            answer = await self._http.exchange(method, self._base_url + path, body, within=_CONTROL_SECONDS)
            if answer.status == 200:
                return answer.json()
        except WIRE_FAILURES as error:
            raise ModelUnavailableError(retryable=is_quick(error)) from error
        # A 404 is about the model only where the request names one; elsewhere something that is not Ollama answers there.
        refusal = _refused(answer, model) if body is not None else ModelUnavailableError()
        # What Ollama will not even describe, as something that is no name of a model, it does not have.
        raise missing(model) if isinstance(refusal, ModelRefusedError) else refusal


async def find_ollama(url: str, timeout: float = 1.0) -> str | None:
    """Return the version of the Ollama that answers at the URL within so many seconds, or ``None``."""
    http = HttpSession(connect_timeout=timeout)
    try:
        answer = await http.exchange("GET", f"{url.rstrip('/')}/api/version", within=timeout)
        version = answer.json().get("version") if answer.status == 200 else None
    except WIRE_FAILURES:
        return None
    finally:
        await http.aclose()
    return version if isinstance(version, str) else None


def _context_length(info: dict[str, Any]) -> int | None:
    length = info.get(f"{info.get('general.architecture')}.context_length")
    return length if isinstance(length, int) and length > 0 else None


def _refused(answer: HttpAnswer, model: str) -> DocentError:
    """Return the error for an answer that is not a 200."""
    if answer.status == 404:
        return missing(model)
    if answer.status in {400, 413} and is_about_length(said := refusal_text(answer.body)):
        tokens, window = told_lengths(said)
        return PromptTooLongError(tokens=tokens, window=window)
    if answer.status in {429, 502, 503}:
        return ModelUnavailableError("The language model is busy right now.", retryable=True)
    if 400 <= answer.status < 500 and answer.status not in NO_FAULT_OF_THE_REQUEST:
        return ModelRefusedError(f"Ollama refused the request to the model {model}.")
    if answer.status < 500:
        return ModelUnavailableError(f"Ollama refused the request to the model {model}.")
    return ModelUnavailableError()
