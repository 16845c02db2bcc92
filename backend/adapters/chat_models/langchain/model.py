"""Every other provider of language models, through langchain's ``init_chat_model``."""

import asyncio
import importlib.util
from collections import OrderedDict
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

from backend.adapters.chat_models.langchain.failures import refused
from backend.adapters.chat_models.langchain.replies import ReplyChunks
from backend.adapters.wire.deadlines import Deadlines
from backend.core.errors import AnswerCutError, ConfigurationError, ModelUnavailableError
from backend.core.transactions import assert_no_transaction
from backend.ports.chat_model import Generation, ModelDetails, Piece, Prompt

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk

_UNTOLD_WINDOW: Final = 8192
_KEPT: Final = 32
_PACKAGES: Final = {
    "azure_openai": "langchain-openai",
    "bedrock": "langchain-aws",
    "bedrock_converse": "langchain-aws",
    "google_vertexai": "langchain-google-vertexai",
    "nvidia": "langchain-nvidia-ai-endpoints",
}
# These always say why they ended, so that a stream without a reason was cut. Others are held to it from the first time they do.
_TELL: Final = {"anthropic", "azure_openai", "deepseek", "google_genai", "groq", "mistralai", "openai", "openrouter", "xai"}


def package_of(provider: str) -> str:
    """Return the package that has a provider's integration; langchain names most of them after it."""
    return _PACKAGES.get(provider, f"langchain-{provider.replace('_', '-')}")


class LangChainChatModel:
    """See ``ChatModel``. Deadlines are seconds; ``window`` is the context length in tokens that the operator set, if they did.

    ``provider`` is a name that ``init_chat_model`` knows; keys and addresses are in the variables that langchain reads, and
    ``arguments`` go to the class of that provider. Libraries are imported, in a thread, when a model is first used: that takes
    seconds and some 100 MB.

    Raises:
        ConfigurationError: langchain, or the provider's package, is not installed.
    """

    def __init__(
        self,
        provider: str,
        *,
        default_model: str = "",
        window: int | None = None,
        first_token_timeout: float = 300,
        between_tokens_timeout: float = 60,
        arguments: Mapping[str, object] | None = None,
    ) -> None:
        package = package_of(provider)
        if any(importlib.util.find_spec(name) is None for name in ("langchain", package.replace("-", "_"))):
            raise ConfigurationError(
                f"The provider {provider} is not installed. Install it in Docent's folder with: "
                "uv sync --frozen --inexact --no-default-groups --extra langchain && "
                f"uv pip install --python .venv {package}"
            )
        self.provider = provider
        self.default_model = default_model
        self._window = window
        self._deadlines = Deadlines(0.0, first_token_timeout, between_tokens_timeout)
        self._arguments = dict(arguments or {})
        self._tells = provider in _TELL
        self._models: OrderedDict[tuple[object, ...], BaseChatModel] = OrderedDict()

    async def stream(self, prompt: Prompt, options: Generation) -> AsyncGenerator[Piece, None]:
        """See ``ChatModel.stream``.

        A stream that ends without a reason was cut, for the providers that are known to tell one. ``seed`` and ``shape`` are not
        passed on: langchain has no words for them that all of its providers know.
        """
        assert_no_transaction("calling the language model")
        model = await self._model(
            options.model, temperature=options.temperature, max_tokens=options.max_tokens, top_p=options.top_p
        )
        turns = [(turn.role, turn.content) for turn in prompt.turns]
        clock = self._deadlines.start()
        reply = ReplyChunks()
        begun = False
        try:
            async with aclosing(_generator(model.astream(turns, stop=list(options.stop) or None))) as chunks:
                while True:
                    async with clock.waiting():
                        chunk = await anext(chunks, None)
                    if chunk is None:
                        break
                    if (piece := reply.feed(chunk)) is not None:
                        begun = True
                        yield piece
                        clock.progressed()
            self._tells = self._tells or reply.reason is not None
            if reply.reason is None and self._tells:
                raise _EndlessError("the stream ended without a reason")
        except Exception as error:
            raise (AnswerCutError() if begun else refused(self.provider, error, options.model)) from error
        yield reply.finish()

    async def details(self, model: str) -> ModelDetails:
        """See ``ChatModel.details``. The window is what langchain's profiles tell, and at most the operator's setting."""
        assert_no_transaction("asking about a language model")
        profile = getattr(await self._model(model), "profile", None) or {}
        told = profile.get("max_input_tokens")
        window = min(told, self._window or told) if isinstance(told, int) and told > 0 else self._window or _UNTOLD_WINDOW
        return ModelDetails(model, window)

    def writes(self, model: str) -> bool:
        """See ``ChatModel.writes``."""
        return True

    async def models(self) -> Sequence[ModelDetails]:
        """See ``ChatModel.models``; langchain lists nothing, so that it is the default model, if there is one."""
        return [await self.details(self.default_model)] if self.default_model else []

    async def check(self) -> None:
        """See ``ChatModel.check``. langchain has no call for it: it is about the settings alone."""
        assert_no_transaction("checking the language model")
        if self.default_model:
            await self._model(self.default_model)

    async def aclose(self) -> None:
        """See ``ChatModel.aclose``; langchain's models have nothing to close."""
        self._models.clear()

    async def _model(self, name: str, **wishes: object) -> "BaseChatModel":
        """Return a model with these wishes, which langchain takes when it is made."""
        key = (name, *wishes.values())
        known = self._models.get(key)
        if known is None:
            known = await asyncio.to_thread(self._made, name, {wish: value for wish, value in wishes.items() if value is not None})
            self._models[key] = known
            if len(self._models) > _KEPT:
                self._models.popitem(last=False)
        return known

    def _made(self, name: str, wishes: Mapping[str, object]) -> "BaseChatModel":
        from langchain.chat_models import init_chat_model  # noqa: PLC0415 - slow to import, and optional

        arguments: dict[str, Any] = {"max_retries": 0, **self._arguments, **wishes}
        try:
            model: BaseChatModel = init_chat_model(name, model_provider=self.provider, **arguments)
        except Exception as error:
            raise ModelUnavailableError(
                f"The provider {self.provider} is not set up as langchain wants it. Whoever runs this server has to check it."
            ) from error
        if "stream_usage" in type(model).model_fields:
            # Off by default where the address is not OpenAI's.
            vars(model)["stream_usage"] = True
        return model


class _EndlessError(Exception):
    """For logs only."""


async def _generator(chunks: Any) -> AsyncGenerator["AIMessageChunk", None]:  # noqa: ANN401 - typed as an iterator that cannot be closed
    """Close langchain's stream, which is a generator, along with this one."""
    async with aclosing(chunks):
        async for chunk in chunks:
            yield chunk
