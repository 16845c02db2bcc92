"""Settings of who serves language models."""

from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode

from backend.core.errors import ConfigurationError

OPENAI_COMPATIBLE: Final = ("openai", "vllm", "llamacpp", "huggingface")
"""Providers that speak OpenAI's wire format, by name."""

BUILT_IN: Final = ("ollama", "extractive", *OPENAI_COMPATIBLE)
"""Providers that need nothing of langchain's, by name."""

_CHOICES: Final = ("auto", *BUILT_IN)
_LATEST: Final = ":latest"
# What a provider cannot do without: one of these.
_NEEDED: Final = {
    "openai": ("openai_api_key", "openai_base_url"),
    "vllm": ("vllm_base_url",),
    "huggingface": ("huggingface_api_key",),
}


class ModelSettings(BaseSettings):
    """The part of the settings that names providers of language models."""

    chat_provider: str = Field(
        "auto",
        description="`auto`: Ollama if it answers at OLLAMA_URL, else `extractive`. Or `ollama`, `openai`, `vllm`, `llamacpp`, "
        "`huggingface`, or one of LANGCHAIN_PROVIDERS.",
    )
    chat_fallback: str | None = Field(
        None, description="A model that takes over while the provider is away: its id, or `extractive` for quotes."
    )
    openai_api_key: SecretStr | None = Field(None, description="OpenAI's models, or those of the server at OPENAI_BASE_URL.")
    openai_base_url: str | None = Field(
        None, description="Any server with OpenAI's wire format, as http://host:port/v1; without it OpenAI itself."
    )
    vllm_base_url: str | None = Field(None, description="Where vLLM answers, as http://host:port/v1.")
    vllm_api_key: SecretStr | None = Field(None, description="The key that vLLM was started with, if it was.")
    llamacpp_base_url: str | None = Field(
        None, description="Where llama.cpp's server answers; as CHAT_PROVIDER by default http://127.0.0.1:8080/v1"
    )
    llamacpp_api_key: SecretStr | None = Field(None, description="The key that llama.cpp's server was started with, if it was.")
    huggingface_api_key: SecretStr | None = Field(None, description="The models behind Hugging Face's router.")
    langchain_providers: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="More providers, as langchain's init_chat_model names them, comma-separated, such as `anthropic,google_genai`. "
        "Their keys are in langchain's own variables, in the environment and not in `.env`.",
    )

    @field_validator("chat_fallback")
    @classmethod
    def _quotes_by_one_name(cls, value: str | None) -> str | None:
        return "extractive" if value == "extractive/extractive" else value

    @field_validator("langchain_providers", mode="before")
    @classmethod
    def _split_names(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    def base_url(self, provider: str) -> str | None:
        """Return the address that is set for a provider of OpenAI's wire format, with ``/v1`` where no path was given."""
        url = getattr(self, f"{provider}_base_url", None)
        if url is None:
            return None
        url = str(url).rstrip("/")
        return url if urlsplit(url).path else f"{url}/v1"

    def api_key(self, provider: str) -> str | None:
        """Return the key that is set for a provider of OpenAI's wire format."""
        key: SecretStr | None = getattr(self, f"{provider}_api_key", None)
        return key.get_secret_value() if key is not None else None

    @property
    def providers_set_up(self) -> tuple[str, ...]:
        """The providers, in a fixed order, whose key or address is set, and those that langchain brings."""
        own = (name for name in OPENAI_COMPATIBLE if self.base_url(name) or self.api_key(name))
        return (*own, *self.langchain_providers)

    def check_providers(self) -> None:
        """Refuse providers that cannot work.

        Raises:
            ConfigurationError: With a sentence that names the setting and says what to do.
        """
        for provider in OPENAI_COMPATIBLE:
            self._check_address(provider)
        if taken := set(self.langchain_providers) & {*_CHOICES}:
            raise ConfigurationError(
                f"LANGCHAIN_PROVIDERS names {taken.pop()}, which needs no langchain here: set it up with its own settings."
            )
        if self.chat_provider not in (*_CHOICES, *self.langchain_providers):
            raise ConfigurationError(
                f"CHAT_PROVIDER is none of {', '.join(_CHOICES)}, and not in LANGCHAIN_PROVIDERS, where langchain's are named."
            )
        for provider in {self.chat_provider, *self.providers_set_up} & _NEEDED.keys():
            needed = _NEEDED[provider]
            if all(getattr(self, name) is None for name in needed):
                raise ConfigurationError(f"The provider {provider} needs {' or '.join(name.upper() for name in needed)}.")
        if self.chat_provider not in {"auto", "ollama", "extractive"} and "chat_model" not in self.model_fields_set:
            raise ConfigurationError(f"CHAT_PROVIDER is `{self.chat_provider}`: name one of its models in CHAT_MODEL.")
        self._check_fallback()

    def _check_address(self, provider: str) -> None:
        url = self.base_url(provider)
        if url is None:
            return
        name = f"{provider.upper()}_BASE_URL"
        if not url.startswith(("http://", "https://")):
            raise ConfigurationError(f"{name} has to begin with http:// or https://")
        if "@" in urlsplit(url).netloc:
            raise ConfigurationError(f"{name} holds credentials: put the key into {provider.upper()}_API_KEY.")

    def _check_fallback(self) -> None:
        if self.chat_fallback is None:
            return
        if self.chat_fallback == self.chat_provider == "extractive":
            raise ConfigurationError("CHAT_FALLBACK is `extractive`, and so is CHAT_PROVIDER: remove one of them.")
        first = "ollama" if self.chat_provider == "auto" else self.chat_provider
        provider, slash, name = self.chat_fallback.partition("/")
        if slash and provider not in {first, "ollama", *self.providers_set_up}:
            raise ConfigurationError(
                f"CHAT_FALLBACK names the provider {provider}, which is not set up. "
                f"If it is a model of {first}, write `{first}/{self.chat_fallback}`."
            )
        if not slash:
            provider, name = first, self.chat_fallback
        default = str(getattr(self, "chat_model", ""))
        if (provider, name.removesuffix(_LATEST)) == (first, default.removesuffix(_LATEST)):
            raise ConfigurationError("CHAT_FALLBACK is the model of CHAT_MODEL, which it is to stand in for: name another one.")
