"""What goes wrong at Ollama in its own words. What may at every provider is in test_chat_models."""

from collections.abc import AsyncIterator

import pytest

from backend.adapters.chat_models.ollama import OllamaChatModel
from backend.core.errors import DocentError, ModelMissingError, ModelUnavailableError, PromptTooLongError
from backend.ports.chat_model import Finish, Generation, Prompt, Turn
from tests.support.ollama import CHAT_MODEL, Fault, StandInOllama

MODEL = CHAT_MODEL.name


@pytest.fixture
async def ollama() -> AsyncIterator[StandInOllama]:
    async with StandInOllama(reply="One two three") as server:
        yield server


@pytest.fixture
async def model(ollama: StandInOllama) -> AsyncIterator[OllamaChatModel]:
    chat_model = OllamaChatModel(ollama.url, default_model=MODEL, first_token_timeout=0.6, between_tokens_timeout=0.4)
    yield chat_model
    await chat_model.aclose()


async def asked(model: OllamaChatModel, *, name: str = MODEL, question: str = "Hello?") -> tuple[str, DocentError | None]:
    """Return the text that came out, and the error that ended it."""
    text = ""
    try:
        async for piece in model.stream(Prompt((Turn("user", question),), question), Generation(name, window=4096)):
            text += piece.text
    except DocentError as error:
        return text, error
    return text, None


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=503, body={"error": "server busy, please try again.  maximum pending requests exceeded"}),
        Fault(status=200, body=b'{"message": "hello", "done": false}\n'),
        Fault(status=200, body=b'{"message": {"content": 5}, "done": false}\n'),
    ],
    ids=["busy", "a message of another type", "content that is no text"],
)
async def test_what_only_ollama_says_is_unavailable_too(model: OllamaChatModel, ollama: StandInOllama, fault: Fault) -> None:
    ollama.fail("/api/chat", fault, times=1)
    text, error = await asked(model)

    assert (text, type(error)) == ("", ModelUnavailableError)


async def test_what_is_listed_in_another_shape_is_no_model_and_counts_that_cannot_be_are_none(
    model: OllamaChatModel, ollama: StandInOllama
) -> None:
    ollama.fail("/api/ps", Fault(status=200, body={"models": 5}))
    ollama.fail("/api/show", Fault(status=200, body={"capabilities": ["completion", {}, 5]}))
    assert (await model.details(MODEL)).capabilities == {"chat"}
    ollama.fail("/api/tags", Fault(status=200, body={"models": 5}))
    assert await model.models() == []
    with pytest.raises(ModelMissingError):
        await model.check()
    counted = b'{"message": {"content": "x"}, "done": true, "prompt_eval_count": -1, "eval_count": 99999999999}\n'
    ollama.fail("/api/chat", Fault(status=200, body=counted))
    async for piece in model.stream(Prompt((Turn("user", "Hello?"),), "Hello?"), Generation(MODEL, window=4096)):
        assert piece.finish == Finish("stop")


async def test_a_server_that_is_down_says_nothing_of_its_models_either(model: OllamaChatModel, ollama: StandInOllama) -> None:
    async with ollama.refusing():
        for call in (model.check(), model.details(MODEL), model.models()):
            with pytest.raises(ModelUnavailableError):
                await call


async def test_a_model_that_is_not_there_names_the_command(model: OllamaChatModel) -> None:
    _, error = await asked(model, name="mistral:7b")

    assert type(error) is ModelMissingError
    assert error.message.endswith("docent models pull mistral:7b")
    with pytest.raises(ModelMissingError, match="docent models pull mistral:7b"):
        await model.details("mistral:7b")


REFUSALS = [
    "the prompt is longer than the context length currently available to the model; shorten the prompt",
    "the input length exceeds the context length",
    "request (5334 tokens) exceeds the available context size (4096 tokens), try increasing it",
]


@pytest.mark.parametrize("sentence", REFUSALS)
async def test_every_wording_of_too_long_is_known(model: OllamaChatModel, ollama: StandInOllama, sentence: str) -> None:
    ollama.fail("/api/chat", Fault(status=400, body={"error": sentence}))
    _, error = await asked(model)

    assert type(error) is PromptTooLongError
