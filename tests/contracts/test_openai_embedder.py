"""The adapter for OpenAI's format keeps the contract of an embedder, and never lets a server cut a text in silence."""

from collections.abc import AsyncIterator

import numpy as np
import pytest

from backend.adapters.embedders.openai_compatible import OpenAICompatibleEmbedder
from backend.core.errors import EmbedderUnavailableError, EmbeddingRefusedError
from backend.core.transactions import transaction_open
from tests.support.ollama import Fault, StandInOllama
from tests.support.ollama.vectors import embedding
from tests.support.openai_api.face import packed

MODEL = "nomic-embed-text"
PATH = "/v1/embeddings"


@pytest.fixture
async def server() -> AsyncIterator[StandInOllama]:
    async with StandInOllama() as stand_in:
        yield stand_in


@pytest.fixture
async def embedder(server: StandInOllama) -> AsyncIterator[OpenAICompatibleEmbedder]:
    """On a server that refuses what is too long, as it is known to."""
    adapter = OpenAICompatibleEmbedder("vllm", f"{server.url}/v1", model=MODEL, key="sk-secret")
    yield adapter
    await adapter.aclose()


async def test_rows_are_unit_vectors_in_the_order_of_the_texts_and_batches_have_their_size(
    embedder: OpenAICompatibleEmbedder, server: StandInOllama
) -> None:
    vectors = await embedder.embed_documents([f"Text number {number} is about {number * 7}." for number in range(70)])
    alone = await embedder.embed_documents(["Text number 66 is about 462."])

    assert vectors.shape == (70, 256)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(vectors[66], alone[0], atol=1e-6)
    assert [len(request.json["input"]) for request in server.requests] == [64, 6, 1]
    assert {request.authorization for request in server.requests} == {"Bearer sk-secret"}


async def test_a_question_carries_its_prefix_and_is_nearer_to_its_answer(
    embedder: OpenAICompatibleEmbedder, server: StandInOllama
) -> None:
    near, far = await embedder.embed_documents(["Refunds are paid within 30 days.", "The cat sleeps on the sofa."])
    question = await embedder.embed_query("When are refunds paid?")

    assert question @ near > embedder.relevance_threshold > question @ far
    assert server.requests[-1].json["input"] == ["search_query: When are refunds paid?"]
    assert (embedder.identity, await embedder.dimensions()) == (f"vllm/{MODEL}", 256)


@pytest.mark.parametrize("as_text", [True, False], ids=["base64", "floats"])
async def test_rows_are_put_in_order_by_their_index_packed_or_not(
    embedder: OpenAICompatibleEmbedder, server: StandInOllama, as_text: bool
) -> None:
    rows = [embedding(text, 8) for text in ("one", "two")]
    data = [{"index": index, "embedding": packed(rows[index]) if as_text else rows[index]} for index in (1, 0)]
    server.fail(PATH, Fault(status=200, body={"data": data}))

    np.testing.assert_allclose(await embedder.embed_documents(["one", "two"]), rows, atol=1e-6)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=400, body={"error": {"message": "This model's maximum context length is 8192 tokens"}}),
        Fault(status=413, body={"error": {"message": "`inputs` must have less than 512 tokens."}}),
        Fault(status=500, body={"error": {"message": "input is too large to process. increase the physical batch size"}}),
        Fault(status=200, body={"data": [{"index": 0, "embedding": [0.0, 0.0]}]}),
    ],
)
async def test_a_text_that_is_refused_is_not_cut(embedder: OpenAICompatibleEmbedder, server: StandInOllama, fault: Fault) -> None:
    with pytest.raises(EmbeddingRefusedError):
        await embedder.embed_query("long " * 3000)
    server.fail(PATH, fault)
    with pytest.raises(EmbeddingRefusedError):
        await embedder.embed_query("one")


async def test_a_server_that_is_not_known_is_tried_out_and_asked_for_no_more_than_it_proved(server: StandInOllama) -> None:
    embedder = OpenAICompatibleEmbedder("openai", f"{server.url}/v1", model=MODEL)
    assert (await embedder.embed_query("one")).shape == (256,)
    await embedder.embed_query("two")
    assert [len(request.json["input"]) for request in server.requests] == [2, 1, 1]
    assert len(server.requests[0].json["input"][0]) == embedder.max_characters + len("search_document: ")

    for call in (embedder.embed_query("x" * 2001), embedder.embed_documents(["short", "x" * 2001])):
        with pytest.raises(EmbeddingRefusedError):
            await call
    assert len(server.requests) == 3
    await embedder.aclose()


async def test_a_server_that_cuts_in_silence_is_found_out(server: StandInOllama) -> None:
    same = embedding("the beginning that was left", 8)
    server.fail(PATH, Fault(status=200, body={"data": [{"index": 0, "embedding": same}, {"index": 1, "embedding": same}]}))
    embedder = OpenAICompatibleEmbedder("openai", f"{server.url}/v1", model=MODEL)

    with pytest.raises(EmbedderUnavailableError, match="silently cuts"):
        await embedder.embed_documents(["one", "two"])
    await embedder.aclose()


DOWN = {
    "500": Fault(status=500),
    "429": Fault(status=429),
    "401": Fault(status=401),
    "404": Fault(status=404),
    "cut": Fault(cut_after=0),
    "another protocol": Fault(status=200, body=b"<html>Welcome</html>"),
    "too few rows": Fault(status=200, body={"data": [{"index": 0, "embedding": [1.0, 0.0]}]}),
    "no base64": Fault(status=200, body={"data": [{"index": 0, "embedding": "?"}, {"index": 1, "embedding": "?"}]}),
    "rows of two lengths": Fault(
        status=200, body={"data": [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0, 0.0]}]}
    ),
}


@pytest.mark.parametrize("fault", DOWN.values(), ids=DOWN.keys())
async def test_an_embedder_that_does_not_answer_is_unavailable(
    embedder: OpenAICompatibleEmbedder, server: StandInOllama, fault: Fault
) -> None:
    server.fail(PATH, fault, times=1)
    with pytest.raises(EmbedderUnavailableError, match=MODEL) as caught:
        await embedder.embed_documents(["one", "two"])

    assert "secret" not in caught.value.message
    assert (await embedder.embed_documents(["one", "two"])).shape == (2, 256)


async def test_an_answer_that_does_not_come_is_given_up(server: StandInOllama) -> None:
    server.fail(PATH, Fault(hang_after=0))
    embedder = OpenAICompatibleEmbedder("vllm", f"{server.url}/v1", model=MODEL, request_timeout=0.2)
    with pytest.raises(EmbedderUnavailableError):
        await embedder.embed_query("one")
    await embedder.aclose()


async def test_nothing_is_asked_inside_a_transaction(embedder: OpenAICompatibleEmbedder) -> None:
    token = transaction_open.set(True)
    try:
        for call in (embedder.embed_documents(["one"]), embedder.embed_query("one"), embedder.dimensions()):
            with pytest.raises(RuntimeError, match="inside an open transaction"):
                await call
    finally:
        transaction_open.reset(token)
