"""Which providers of models the settings name, and which sets of them cannot work."""

from pathlib import Path

import pytest

from backend.adapters.chat_models.langchain import LangChainChatModel
from backend.bootstrap.providers import chat_line, chat_model, fallback_id, other_chat_models, provider_url
from backend.core.config import Settings
from backend.core.errors import ConfigurationError
from backend.services.providers import Providers


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def settings(**changes: object) -> Settings:
    return Settings(**changes)  # type: ignore[arg-type] # checked by pydantic


def named(**changes: object) -> tuple[str, list[str], str | None]:
    """Return the providers that come of some settings, and the model that takes over."""
    chosen = settings(**changes)
    chosen.check()
    first = chat_model(chosen, found=None)
    others = other_chat_models(chosen, first)
    Providers(first, others, fallback=fallback_id(chosen))
    return first.provider, [other.provider for other in others], fallback_id(chosen)


def test_a_provider_exists_when_it_answers_or_its_key_or_address_is_set() -> None:
    every = {"openai_api_key": "sk-x", "vllm_base_url": "http://gpu:8000", "llamacpp_base_url": "http://cpu:8080/v1/"}

    assert named() == ("extractive", [], None)
    assert named(chat_provider="ollama", openai_api_key="sk-x") == ("ollama", ["openai"], None)
    assert named(chat_provider="llamacpp", chat_model="m") == ("llamacpp", [], None)
    assert named(chat_provider="openai", chat_model="m", ollama_url="http://o:11434", **every) == (
        "openai",
        ["vllm", "llamacpp", "ollama"],
        None,
    )
    assert named(chat_provider="ollama", langchain_providers="azure_openai", huggingface_api_key="hf_x") == (
        "ollama",
        ["huggingface", "azure_openai"],
        None,
    )


def test_the_fallback_is_a_model_or_quotes() -> None:
    assert named(chat_provider="ollama", chat_fallback="extractive") == ("ollama", ["extractive"], "extractive/extractive")
    assert named(chat_provider="ollama", vllm_base_url="http://gpu:8000/v1", chat_fallback="vllm/qwen3")[2] == "vllm/qwen3"
    assert named(chat_fallback="extractive/extractive")[2] == named(chat_fallback="extractive")[2] == "extractive/extractive"
    assert named(chat_provider="openai", openai_api_key="sk-x", chat_model="m", chat_fallback="ollama/tiny") == (
        "openai",
        ["ollama"],
        "ollama/tiny",
    )


WRONG: list[tuple[dict[str, object], str]] = [
    ({"chat_provider": "openai", "chat_model": "m"}, "OPENAI_API_KEY or OPENAI_BASE_URL"),
    ({"chat_provider": "vllm", "chat_model": "m"}, "VLLM_BASE_URL"),
    ({"vllm_api_key": "secret"}, "VLLM_BASE_URL"),
    ({"chat_provider": "huggingface", "chat_model": "m"}, "HUGGINGFACE_API_KEY"),
    ({"chat_provider": "openai", "openai_api_key": "secret"}, "CHAT_MODEL"),
    ({"chat_provider": "nonsense"}, "CHAT_PROVIDER"),
    ({"chat_provider": "anthropic", "chat_model": "m"}, "LANGCHAIN_PROVIDERS"),
    ({"langchain_providers": "azure_openai,openai"}, "LANGCHAIN_PROVIDERS"),
    ({"openai_base_url": "gpu:8000"}, "OPENAI_BASE_URL"),
    ({"openai_base_url": "http://me:secret@gpu:8000"}, "OPENAI_API_KEY"),
    ({"chat_fallback": "vllm/qwen3"}, "provider vllm, which is not set up"),
    ({"chat_fallback": "nope/x"}, "write `ollama/nope/x`"),
    ({"chat_fallback": "llama3.2:1b"}, "CHAT_FALLBACK is the model of CHAT_MODEL"),
    ({"chat_provider": "ollama", "chat_model": "tiny", "chat_fallback": "ollama/tiny:latest"}, "is the model of CHAT_MODEL"),
    ({"chat_provider": "extractive", "chat_fallback": "extractive"}, "CHAT_FALLBACK"),
    ({"chat_provider": "extractive", "chat_fallback": "extractive/extractive"}, "CHAT_FALLBACK"),
    ({"embedder": "openai"}, "EMBEDDER"),
    ({"embedder": "openai", "openai_api_key": "secret"}, "EMBEDDING_MODEL"),
]


@pytest.mark.parametrize(("changes", "sentence"), WRONG)
def test_what_cannot_work_is_refused_with_the_settings_name(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence) as refused:
        settings(**changes).check()

    assert "secret" not in refused.value.message


def test_a_package_that_is_missing_is_named_with_the_command_that_gets_it() -> None:
    with pytest.raises(ConfigurationError, match=r"--extra langchain && uv pip install --python \.venv langchain-google-genai$"):
        LangChainChatModel("google_genai")


LINES = {
    "OpenAI at https://api.openai.com/v1 answers with m": {"chat_provider": "openai", "openai_api_key": "sk-x"},
    "A server with OpenAI's API at http://lm:1234/v1 answers with m": {
        "chat_provider": "openai",
        "openai_base_url": "http://lm:1234",
    },
    "OpenAI at https://api.openai.com/v1 answers with m; while it is away, quotes take over": {
        "chat_provider": "openai",
        "openai_api_key": "sk-x",
        "chat_fallback": "extractive",
    },
    "OpenAI at https://api.openai.com/v1 answers with m; while it is away, ollama/tiny takes over": {
        "chat_provider": "openai",
        "openai_api_key": "sk-x",
        "chat_fallback": "ollama/tiny",
    },
    "vLLM at http://gpu:8000/v1 answers with m": {"chat_provider": "vllm", "vllm_base_url": "http://gpu:8000/v1/"},
    "azure_openai answers with m, through langchain": {"chat_provider": "azure_openai", "langchain_providers": "azure_openai"},
}


@pytest.mark.parametrize(("line", "changes"), LINES.items())
def test_what_is_printed_at_the_start_says_who_answers(line: str, changes: dict[str, object]) -> None:
    chosen = settings(chat_model="m", **changes)
    chosen.check()
    model = chat_model(chosen, found=None)

    assert chat_line(chosen, model, None) == line
    assert provider_url(chosen, model.provider) in line
