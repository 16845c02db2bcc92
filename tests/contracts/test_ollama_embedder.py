"""The Ollama adapter keeps the contract of an embedder."""

from collections.abc import AsyncIterator

import numpy as np
import pytest

from backend.adapters.embedders.ollama import OllamaEmbedder
from backend.core.errors import EmbedderUnavailableError, EmbeddingRefusedError
from backend.core.transactions import transaction_open
from tests.support.ollama import EMBEDDING_MODEL, Fault, InstalledModel, StandInOllama

LONG = "long " * 3000


@pytest.fixture
async def ollama() -> AsyncIterator[StandInOllama]:
    other = InstalledModel("all-minilm", "bert", 512, 384, ("embedding",))
    async with StandInOllama(models=[EMBEDDING_MODEL, other]) as server:
        yield server


@pytest.fixture
async def embedder(ollama: StandInOllama) -> AsyncIterator[OllamaEmbedder]:
    adapter = OllamaEmbedder(ollama.url, model="nomic-embed-text")
    yield adapter
    await adapter.aclose()


async def test_rows_are_unit_vectors_in_the_order_of_the_texts(embedder: OllamaEmbedder) -> None:
    texts = [f"Text number {number} is about {number * 7}." for number in range(70)]

    vectors = await embedder.embed_documents(texts)
    alone = await embedder.embed_documents(texts[40:41])

    assert vectors.shape == (70, 256)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(vectors[40], alone[0], atol=1e-6)


async def test_a_question_is_nearer_to_its_answer(embedder: OllamaEmbedder) -> None:
    near, far = await embedder.embed_documents(["Refunds are paid within 30 days.", "The cat sleeps on the sofa."])
    question = await embedder.embed_query("When are refunds paid?")

    assert question.shape == (256,)
    assert question @ near > embedder.relevance_threshold > question @ far


async def test_texts_carry_the_prefixes_of_the_model_and_are_never_truncated(
    embedder: OllamaEmbedder, ollama: StandInOllama
) -> None:
    await embedder.embed_documents(["one", "two"])
    await embedder.embed_query("three")

    assert [request.json for request in ollama.requests] == [
        {"model": "nomic-embed-text", "input": ["search_document: one", "search_document: two"], "truncate": False},
        {"model": "nomic-embed-text", "input": ["search_query: three"], "truncate": False},
    ]


async def test_batches_are_of_the_batch_size(embedder: OllamaEmbedder, ollama: StandInOllama) -> None:
    await embedder.embed_documents(["text"] * (embedder.batch_size + 1))

    assert [len(request.json["input"]) for request in ollama.requests] == [32, 1]


async def test_no_texts_are_no_request(embedder: OllamaEmbedder, ollama: StandInOllama) -> None:
    assert (await embedder.embed_documents([])).shape == (0, 0)
    assert ollama.requests == []


async def test_the_dimensions_are_asked_for_once(embedder: OllamaEmbedder, ollama: StandInOllama) -> None:
    assert [await embedder.dimensions(), await embedder.dimensions()] == [256, 256]
    assert len(ollama.requests) == 1
    assert (await embedder.embed_documents([])).shape == (0, 256)


async def test_the_identity_does_not_depend_on_the_spelling(ollama: StandInOllama) -> None:
    names = ("nomic-embed-text", "nomic-embed-text:latest", "nomic-embed-text:v1.5", "all-minilm")
    embedders = [OllamaEmbedder(ollama.url, model=name) for name in names]

    assert [embedder.identity for embedder in embedders] == [
        "ollama/nomic-embed-text",
        "ollama/nomic-embed-text",
        "ollama/nomic-embed-text:v1.5",
        "ollama/all-minilm",
    ]
    assert [embedder.max_characters for embedder in embedders] == [2000, 2000, 2000, 240]


async def test_a_model_without_prefixes_gets_none(ollama: StandInOllama) -> None:
    embedder = OllamaEmbedder(ollama.url, model="all-minilm")
    await embedder.embed_documents(["one"])
    assert (await embedder.embed_query("two")).shape == (384,)
    await embedder.aclose()

    assert [request.json["input"] for request in ollama.requests] == [["one"], ["two"]]


async def test_the_longest_text_that_is_promised_fits(embedder: OllamaEmbedder) -> None:
    words = ("ab " * embedder.max_characters)[: embedder.max_characters]

    assert (await embedder.embed_documents([words] * 2)).shape == (2, 256)


async def test_a_text_that_is_too_long_is_refused_and_not_cut(embedder: OllamaEmbedder) -> None:
    for call in (embedder.embed_documents(["short", LONG]), embedder.embed_query(LONG)):
        with pytest.raises(EmbeddingRefusedError):
            await call


DOWN = {
    "500": Fault(status=500),
    "503": Fault(status=503),
    "429": Fault(status=429),
    "cut": Fault(cut_after=0),
    "another protocol": Fault(status=200, body=b"<html>Welcome</html>"),
    "the model's process died": Fault(status=400, body={"error": 'do embedding request: Post "http://127.0.0.1:41/": EOF'}),
    "too few rows": Fault(status=200, body={"embeddings": [[1.0, 0.0]]}),
    "no rows": Fault(status=200, body={"model": "nomic-embed-text"}),
    "empty rows": Fault(status=200, body={"embeddings": [[], []]}),
    "rows of two lengths": Fault(status=200, body={"embeddings": [[1.0, 0.0], [1.0]]}),
    "rows of words": Fault(status=200, body={"embeddings": [["a"], ["b"]]}),
}


@pytest.mark.parametrize("fault", DOWN.values(), ids=DOWN.keys())
async def test_an_embedder_that_does_not_answer_is_unavailable(
    embedder: OllamaEmbedder, ollama: StandInOllama, fault: Fault
) -> None:
    ollama.fail("/api/embed", fault, times=1)
    with pytest.raises(EmbedderUnavailableError, match="nomic-embed-text"):
        await embedder.embed_documents(["one", "two"])

    assert (await embedder.embed_documents(["one", "two"])).shape == (2, 256)


REFUSED = {
    "400": Fault(status=400, body={"error": "embedding contains NaN or Inf values"}),
    "413": Fault(status=413, body={"error": "the input length exceeds the context length"}),
    "500 NaN": Fault(status=500, body={"error": "failed to encode response: json: unsupported value: NaN"}),
    "null": Fault(status=200, body={"embeddings": [[1.0, 0.0], [None, 0.0]]}),
    "zero": Fault(status=200, body={"embeddings": [[1.0, 0.0], [0.0, 0.0]]}),
    "infinite": Fault(status=200, body={"embeddings": [[1.0, 0.0], [1e300, 0.0]]}),
}


@pytest.mark.parametrize("fault", REFUSED.values(), ids=REFUSED.keys())
async def test_a_text_without_a_vector_is_refused(embedder: OllamaEmbedder, ollama: StandInOllama, fault: Fault) -> None:
    ollama.fail("/api/embed", fault)
    with pytest.raises(EmbeddingRefusedError):
        await embedder.embed_documents(["one", "two"])


async def test_a_model_that_is_not_there_names_the_command(ollama: StandInOllama) -> None:
    embedder = OllamaEmbedder(ollama.url, model="mxbai-embed-large")
    with pytest.raises(EmbedderUnavailableError, match=r"docent models pull mxbai-embed-large$"):
        await embedder.dimensions()
    await embedder.aclose()


async def test_an_answer_that_does_not_come_is_given_up(ollama: StandInOllama) -> None:
    ollama.fail("/api/embed", Fault(hang_after=0))
    embedder = OllamaEmbedder(ollama.url, model="nomic-embed-text", request_timeout=0.2)
    with pytest.raises(EmbedderUnavailableError):
        await embedder.embed_query("one")
    await embedder.aclose()


async def test_a_server_that_is_down_is_unavailable_and_comes_back(embedder: OllamaEmbedder, ollama: StandInOllama) -> None:
    async with ollama.refusing():
        with pytest.raises(EmbedderUnavailableError):
            await embedder.embed_query("one")

    assert (await embedder.embed_query("one")).shape == (256,)


async def test_nothing_is_asked_inside_a_transaction(embedder: OllamaEmbedder) -> None:
    token = transaction_open.set(True)
    try:
        for call in (embedder.embed_documents(["one"]), embedder.embed_query("one"), embedder.dimensions()):
            with pytest.raises(RuntimeError, match="inside an open transaction"):
                await call
    finally:
        transaction_open.reset(token)
