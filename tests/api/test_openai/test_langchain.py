"""langchain's clients of OpenAI, as they are."""

import httpx2
import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from openai import BadRequestError, NotFoundError
from pydantic import SecretStr

from tests.api.test_openai.conftest import CHAT_MODEL, Reader
from tests.api.test_openai.test_grounded import QUESTION
from tests.support.product import Product


def chat(product: Product, reader: Reader, model: str) -> ChatOpenAI:
    return ChatOpenAI(model=model, base_url=f"{product.url}/v1", api_key=SecretStr(reader.key), max_retries=0, stream_usage=True)


@pytest.mark.parametrize("model", ["docent", CHAT_MODEL])
async def test_it_asks_and_streams_with_usage(product: Product, reader: Reader, model: str) -> None:
    asked = [SystemMessage("Be brief."), HumanMessage("Hello."), AIMessage("Hello!"), HumanMessage(QUESTION)]

    whole = await chat(product, reader, model).ainvoke(asked)
    parts: AIMessageChunk | None = None
    async for part in chat(product, reader, model).astream(asked):
        assert isinstance(part, AIMessageChunk)
        parts = part if parts is None else parts + part

    assert parts is not None
    assert parts.text == whole.text
    assert ("krill" in whole.text) is (model == "docent")
    assert whole.response_metadata["finish_reason"] == parts.response_metadata["finish_reason"] == "stop"
    assert whole.usage_metadata is not None
    assert parts.usage_metadata is not None
    assert parts.usage_metadata["total_tokens"] == whole.usage_metadata["total_tokens"] > 0


async def test_errors_reach_its_callers(product: Product, reader: Reader) -> None:
    with pytest.raises(BadRequestError) as refused:
        await chat(product, reader, CHAT_MODEL).ainvoke("word " * 100_000)
    with pytest.raises(NotFoundError):
        await chat(product, reader, "docent/gpt-5").ainvoke("Hello.")

    assert refused.value.code == "context_length_exceeded"


async def test_it_embeds(product: Product, reader: Reader) -> None:
    async with httpx2.AsyncClient() as client:
        embeddings = OpenAIEmbeddings(
            model="docent",
            openai_api_base=f"{product.url}/v1",
            openai_api_key=SecretStr(reader.key),
            check_embedding_ctx_length=False,
            max_retries=0,
            http_async_client=client,
        )
        documents = await embeddings.aembed_documents(["Blue whales eat krill.", "Bread needs flour."])
        query = await embeddings.aembed_query("What do whales eat?")

    assert [len(vector) for vector in (*documents, query)] == [512] * 3
    krill, bread = (sum(a * b for a, b in zip(query, document, strict=True)) for document in documents)
    assert krill > bread
