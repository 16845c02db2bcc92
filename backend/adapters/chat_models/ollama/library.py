"""The models that an Ollama has, and getting more of them."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Final

import structlog

from backend.adapters.wire.deadlines import Deadlines
from backend.adapters.wire.failures import WIRE_FAILURES, refusal_text
from backend.adapters.wire.http_session import HttpAnswer, HttpSession
from backend.adapters.wire.ndjson import objects
from backend.core.errors import ModelMissingError, ModelUnavailableError, ModelUnknownError, PullFailedError
from backend.core.transactions import assert_no_transaction
from backend.ports.chat_model import Capability, ModelDetails
from backend.ports.model_library import PullStep

log = structlog.get_logger(__name__)

CAPABILITIES: Final[Mapping[str, Capability]] = {
    "completion": "chat",
    "embedding": "embedding",
    "insert": "insert",
    "thinking": "thinking",
    "tools": "tools",
    "vision": "vision",
}
SHOWN_AT_ONCE: Final = 4
_CONTROL_SECONDS: Final = 10.0
# A registry may take its time, and while a download is verified or written nothing is said.
_PULL_SECONDS: Final = 300.0
_UNKNOWN_WORDS: Final = ("file does not exist", "not found", "invalid model name")


class OllamaLibrary:
    """See ``ModelLibrary``. ``described`` is what tells of one model, with the window that it runs with."""

    def __init__(self, base_url: str, described: Callable[[str], Awaitable[ModelDetails]], *, connect_timeout: float = 5) -> None:
        self._url = base_url.rstrip("/")
        self._described = described
        self._deadlines = Deadlines(connect_timeout, _PULL_SECONDS, _PULL_SECONDS)
        self._http = HttpSession(connect_timeout=connect_timeout)

    async def models(self) -> Sequence[ModelDetails]:
        """See ``ModelLibrary.models``."""
        assert_no_transaction("listing the models")
        return await listed(await self._control("GET", "/api/tags"), self._described)

    async def show(self, name: str) -> ModelDetails:
        """See ``ModelLibrary.show``."""
        listed_as = next((each for each in await self.models() if with_tag(each.name) == with_tag(name)), None)
        return listed_as or await self._described(name)

    async def pull(self, name: str) -> AsyncGenerator[PullStep, None]:
        """See ``ModelLibrary.pull``."""
        assert_no_transaction("pulling a model")
        clock = self._deadlines.start()
        try:
            async with clock.waiting():
                response = await self._http.opened().post(f"{self._url}/api/pull", json={"model": name, "stream": True})
        except WIRE_FAILURES as error:
            raise ModelUnavailableError(f"There is no Ollama at {self._url}. Start it, or set OLLAMA_URL.") from error
        try:
            if response.status != 200:
                async with clock.waiting():
                    raise _not_pulled(name, refusal_text(await response.read()))
            async with aclosing(objects(response.content, clock)) as lines:
                async for line in lines:
                    if "error" in line:
                        raise _not_pulled(name, str(line["error"]))
                    yield _step(line)
                    if line.get("status") == "success":
                        return
        except WIRE_FAILURES as error:
            raise _interrupted(name) from error
        finally:
            response.close()
        raise _interrupted(name)

    async def remove(self, name: str) -> None:
        """See ``ModelLibrary.remove``."""
        assert_no_transaction("removing a model")
        answer = await self._exchange("DELETE", "/api/delete", {"model": name})
        if answer.status == 404:
            raise missing(name)
        if answer.status != 200:
            raise ModelUnavailableError(f"Ollama did not remove the model {name}.")

    async def aclose(self) -> None:
        """See ``ModelLibrary.aclose``."""
        await self._http.aclose()

    async def _control(self, method: str, path: str) -> dict[str, Any]:
        answer = await self._exchange(method, path)
        try:
            if answer.status == 200:
                return answer.json()
        except WIRE_FAILURES as error:
            raise ModelUnavailableError from error
        raise ModelUnavailableError

    async def _exchange(self, method: str, path: str, body: object | None = None) -> HttpAnswer:
        try:
            return await self._http.exchange(method, self._url + path, body, within=_CONTROL_SECONDS)
        except WIRE_FAILURES as error:
            raise ModelUnavailableError(f"There is no Ollama at {self._url}. Start it, or set OLLAMA_URL.") from error


async def listed(tags: dict[str, Any], described: Callable[[str], Awaitable[ModelDetails]]) -> list[ModelDetails]:
    """Return what ``/api/tags`` lists, in the order of the names. The windows are asked for model by model, some at a time.

    A model that is gone, or so damaged that Ollama cannot show it, is left out.

    Raises:
        ModelUnavailableError: There are models, and none of them could be shown.
    """
    slots = asyncio.Semaphore(SHOWN_AT_ONCE)

    async def one(entry: dict[str, Any]) -> ModelDetails | None:
        name = entry["name"]
        try:
            async with slots:
                details = await described(name)
        except (ModelMissingError, ModelUnavailableError) as error:
            log.warning("model_not_shown", model=name, code=error.code)
            return None
        size = entry.get("size")
        return replace(details, name=name, size=size if isinstance(size, int) else None)

    found = [entry for entry in named(tags) if isinstance(entry.get("name"), str)]
    shown = await asyncio.gather(*(one(entry) for entry in sorted(found, key=lambda entry: str(entry["name"]))))
    models = [details for details in shown if details is not None]
    if found and not models:
        raise ModelUnavailableError
    return models


def shown(name: str, window: int, answer: dict[str, Any]) -> ModelDetails:
    """Return what ``/api/show`` says of a model. One that is too old to tell what its models can do chats with all of them."""
    told = answer.get("capabilities")
    known = told if isinstance(told, list) else ["completion"]
    details = answer.get("details")
    words = details if isinstance(details, dict) else {}
    return ModelDetails(
        name,
        window,
        capabilities=frozenset(CAPABILITIES[each] for each in known if isinstance(each, str) and each in CAPABILITIES),
        family=_word(words.get("family")),
        parameters=_word(words.get("parameter_size")),
        quantization=_word(words.get("quantization_level")),
    )


def named(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the entries of an answer that lists models."""
    models = answer.get("models")
    return [entry for entry in models if isinstance(entry, dict)] if isinstance(models, list) else []


def with_tag(name: str) -> str:
    """Return the name with its tag, ``latest`` where it has none."""
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def missing(model: str) -> ModelMissingError:
    """Return the error that says how to get a model."""
    return ModelMissingError(f"Ollama does not have the model {model}. Install it with: docent models pull {model}")


def _word(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _step(line: dict[str, Any]) -> PullStep:
    total, completed = line.get("total"), line.get("completed")
    return PullStep(
        str(line.get("status", "")),
        _word(line.get("digest")),
        total if isinstance(total, int) else None,
        completed if isinstance(completed, int) else 0,
    )


def _not_pulled(name: str, said: str) -> ModelUnknownError | PullFailedError:
    if any(words in said for words in _UNKNOWN_WORDS):
        return ModelUnknownError(f"There is no model {name} to pull. See https://ollama.com/library for their names.")
    return PullFailedError(f"Ollama could not pull {name}: {said or 'it did not say why'}")


def _interrupted(name: str) -> PullFailedError:
    return PullFailedError(f"Ollama was interrupted while it pulled {name}. The same command goes on where it was.")
