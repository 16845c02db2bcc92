"""What servers of OpenAI's wire format tell of their models."""

import pytest

from backend.adapters.chat_models.openai_compatible import OpenAICompatibleChatModel
from backend.core.errors import ModelMissingError, ModelUnavailableError
from tests.contracts.test_openai_chat_model.asking import MODEL, named
from tests.support.ollama import Fault, StandInOllama

LISTED: list[tuple[str, dict[str, object], int]] = [
    ("vllm", {"max_model_len": 32_768}, 32_768),
    ("openai", {"context_length": 131_072}, 131_072),
    ("openai", {"meta": {"n_ctx_train": 2048}}, 2048),
    ("openai", {}, 8192),
    ("llamacpp", {"meta": {"n_ctx_train": 131_072, "size": 1000, "n_params": 1_200_000_000}}, 4096),
    ("huggingface", {"providers": [{"context_length": 64_000}, {"context_length": 32_000, "supports_tools": True}]}, 32_000),
]


@pytest.mark.parametrize(("provider", "told", "window"), LISTED)
async def test_the_window_is_what_the_server_tells_and_never_made_up(
    server: StandInOllama, provider: str, told: dict[str, object], window: int
) -> None:
    server.fail("/v1/models", Fault(status=200, body={"data": [{"id": MODEL, **told}]}))
    for wish in (None, 1024):
        model = named(server, provider, window=wish)
        details = await model.details(MODEL)
        await model.aclose()
        assert details.context_window == min(window, wish or window)
    assert (details.size, details.parameters) == ((1000, "1.2B") if "size" in str(told) else (None, None))
    assert ("tools" in details.capabilities) == ("supports_tools" in str(told))


async def test_models_are_described_by_what_their_names_say(model: OpenAICompatibleChatModel, server: StandInOllama) -> None:
    names = ["text-embedding-3-small", "qwen2.5-coder", "whisper-1", "deepseek-r1", "gpt-4o"]
    server.fail("/v1/models", Fault(status=200, body={"data": [{"id": name} for name in names]}))

    assert {each.name: set(each.capabilities) for each in await model.models()} == {
        "deepseek-r1": {"chat", "thinking"},
        "gpt-4o": {"chat"},
        "qwen2.5-coder": {"chat", "insert"},
        "text-embedding-3-small": {"embedding"},
        "whisper-1": set(),
    }


async def test_a_model_is_missing_where_others_are_listed_and_believed_where_none_are(server: StandInOllama) -> None:
    model = named(server)
    with pytest.raises(ModelMissingError, match=r"does not have the model mistral:7b"):
        await model.details("mistral:7b")
    await model.check()
    server.fail("/v1/models", Fault(status=404, body={"detail": "Not Found"}))
    other = named(server, window=16_384)
    assert (await other.details("mistral:7b")).context_window == 16_384
    await other.check()
    await model.aclose()
    await other.aclose()


async def test_what_was_listed_is_believed_on_while_the_server_cannot_be_asked(
    model: OpenAICompatibleChatModel, server: StandInOllama
) -> None:
    await model.check()
    server.fail("/v1/models", Fault(status=500), times=2)
    with pytest.raises(ModelUnavailableError):
        await model.check()
    assert (await model.details(MODEL)).name == MODEL
    assert len(server.requests) == 2

    model._listed = model._listed and (0.0, model._listed[1])
    assert (await model.details(MODEL)).name == (await model.details(MODEL)).name == MODEL
    assert len(server.requests) == 3


async def test_a_key_that_may_chat_and_not_list_is_believed_and_a_list_may_be_bare(server: StandInOllama) -> None:
    server.fail("/v1/models", Fault(status=403, body={"error": {"message": "no"}}))
    chats = named(server)
    for _ in range(2):
        assert (await chats.details("mistral:7b")).context_window == 8192
    assert len(server.requests) == 1
    server.clear()
    server.fail("/v1/models", Fault(status=200, body=b'[{"id": "mistral:7b", "context_length": 4096}, 5]'))
    bare = named(server)
    assert [(each.name, each.context_window) for each in await bare.models()] == [("mistral:7b", 4096)]
    server.clear()
    server.fail("/v1/models", Fault(status=200, body={"data": 5}))
    odd = named(server)
    with pytest.raises(ModelUnavailableError):
        await odd.models()
    for each in (chats, bare, odd):
        await each.aclose()
