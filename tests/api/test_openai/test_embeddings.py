"""Embeddings and the list of models."""

import openai
import pytest
from openai import AsyncOpenAI

from tests.api.test_openai.conftest import CHAT_MODEL
from tests.api.test_openai.test_plain import tokens_of
from tests.support.product import Account

EMBEDDER = "hashing/v1-512"


async def test_models_are_listed_by_the_names_that_requests_give_them(client: AsyncOpenAI) -> None:
    models = {model.id: model async for model in client.models.list()}

    assert next(iter(models)) == "docent"
    assert {"docent", CHAT_MODEL, f"docent/{CHAT_MODEL}", EMBEDDER} <= models.keys()
    assert {model.owned_by for name, model in models.items() if name.startswith("docent")} == {"docent"}
    assert {model.object for model in models.values()} == {"model"}
    for name in ("docent", f"docent/{CHAT_MODEL}", EMBEDDER):
        assert await client.models.retrieve(name) == models[name]
    for missing in ("docent/gpt-5", "a/b/c", "text-embedding-3-small"):
        with pytest.raises(openai.NotFoundError) as refused:
            await client.models.retrieve(missing)
        assert (refused.value.code, refused.value.param) == ("model_not_found", "model")


async def test_base64_which_the_client_asks_for_is_the_same_as_numbers(client: AsyncOpenAI, alice: Account) -> None:
    texts = ["Blue whales eat krill.", "Bread needs flour.", "Whales eat krill."]

    packed = await client.embeddings.create(model="docent", input=texts)
    plain = await client.embeddings.create(model=EMBEDDER, input=texts, encoding_format="float", dimensions=512)

    vectors = [found.embedding for found in plain.data]
    assert [found.embedding for found in packed.data] == [pytest.approx(vector, abs=1e-7) for vector in vectors]
    assert [found.index for found in packed.data] == [0, 1, 2]
    assert packed.model == plain.model == EMBEDDER
    assert [sum(number * number for number in vector) for vector in vectors] == pytest.approx([1.0] * 3, abs=1e-4)
    krill, bread, whales = vectors
    assert dot(krill, whales) > dot(krill, bread)
    assert packed.usage.prompt_tokens == packed.usage.total_tokens > 0
    assert await tokens_of(alice) == packed.usage.total_tokens + plain.usage.total_tokens
    [alone] = (await client.embeddings.create(model="hashing", input=texts[0])).data
    assert alone.embedding == pytest.approx(krill, abs=1e-7)


def dot(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(
    ("body", "kind", "param", "sentence"),
    [
        ({"input": [[1, 2, 3]]}, openai.BadRequestError, "input", "not tokens"),
        ({"input": [1, 2, 3]}, openai.BadRequestError, "input", "not tokens"),
        ({"input": ""}, openai.BadRequestError, "input", "at least 1"),
        ({"input": []}, openai.BadRequestError, "input", "at least 1"),
        ({"input": ["x"] * 2049}, openai.BadRequestError, "input", "at most 2048"),
        ({"input": "x", "dimensions": 256}, openai.BadRequestError, "dimensions", "512 dimensions"),
        ({"input": "x", "encoding_format": "hex"}, openai.BadRequestError, "encoding_format", "base64"),
        ({"input": "x", "model": "text-embedding-3-small"}, openai.NotFoundError, "model", EMBEDDER),
    ],
)
async def test_what_cannot_be_embedded_is_named(
    client: AsyncOpenAI, body: dict[str, object], kind: type[openai.APIStatusError], param: str, sentence: str
) -> None:
    with pytest.raises(kind) as refused:
        await client.post("/embeddings", body={"model": "docent", **body}, cast_to=object)

    assert (refused.value.type, refused.value.param) == ("invalid_request_error", param)
    assert sentence in refused.value.message
