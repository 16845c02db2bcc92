"""The product on a server of OpenAI's wire format, as its settings wire it."""

import pytest

from backend.core.errors import EmbedderUnusableError
from backend.ports.chat_model import Prompt, Turn
from backend.schemas.reindex import ReindexIn
from backend.services.generating.reply import Wanted
from tests.conftest import ApplicationFactory, registered
from tests.support.ollama import CHAT_MODEL, StandInOllama


async def test_one_server_writes_and_embeds_with_its_key_and_another_model_is_reached_by_its_provider(
    application: ApplicationFactory,
) -> None:
    async with StandInOllama(reply="Hello there.") as server, StandInOllama(reply="Hello from vLLM.") as other:
        settings = {
            "chat_provider": "openai",
            "chat_model": CHAT_MODEL.name,
            "openai_base_url": server.url,
            "openai_api_key": "sk-secret",
            "vllm_base_url": other.url,
            "embedder": "openai",
            "embedding_model": "nomic-embed-text",
        }
        async with application(settings=settings) as running:
            alice = await registered(running.services, "alice")
            prompt = Prompt((Turn("user", "Hi"),), "Hi")
            replies = [
                await (await running.services.generating.begin(Wanted(alice, prompt, model))).whole()
                for model in (None, f"vllm/{CHAT_MODEL.name}")
            ]

        assert [(reply.text, reply.status) for reply in replies] == [("Hello there.", "complete"), ("Hello from vLLM.", "complete")]
        assert running.embedder == "openai/nomic-embed-text"
        assert running.chat == f"A server with OpenAI's API at {server.url}/v1 answers with {CHAT_MODEL.name}"
        assert {request.authorization for request in server.requests} == {"Bearer sk-secret"}
        assert {request.authorization for request in other.requests} == {None}


async def test_the_embedding_model_can_be_changed_to_one_of_a_server_that_is_set_up(
    application: ApplicationFactory,
) -> None:
    async with StandInOllama() as server:
        settings = {"vllm_base_url": server.url, "embedder": "hashing"}
        async with application(settings=settings) as running:
            wanted = ReindexIn.model_validate({"embedder": "vllm", "model": "nomic-embed-text"})
            state = await running.services.reindexing.change(wanted.name or "")
            for body in ({"embedder": "llamacpp", "model": "nomic-embed-text"}, {"embedder": "vllm"}):
                with pytest.raises(EmbedderUnusableError, match="provider that is set up"):
                    await running.services.reindexing.change(ReindexIn.model_validate(body).name or "")
            left = await running.services.reindexing.state()

    assert (state.embedder, state.complete, left.embedder) == ("vllm/nomic-embed-text", True, "vllm/nomic-embed-text")
