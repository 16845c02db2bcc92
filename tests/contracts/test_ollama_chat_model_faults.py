"""Whatever goes wrong at Ollama, the adapter raises the error that its port names."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from backend.adapters.chat_models.ollama import OllamaChatModel
from backend.core.errors import AnswerCutError, DocentError, ModelMissingError, ModelUnavailableError, PromptTooLongError
from backend.ports.chat_model import Generation, Prompt, Turn
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


BEFORE_THE_FIRST_PIECE = {
    "500": Fault(status=500),
    "503": Fault(status=503, body={"error": "server busy, please try again.  maximum pending requests exceeded"}),
    "429": Fault(status=429),
    "502 from a proxy": Fault(status=502, body=b"<html>Bad gateway</html>"),
    "400 that is not about length": Fault(status=400, body={"error": '"nomic-embed-text" does not support chat'}),
    "400 without a sentence": Fault(status=400, body={"error": {"code": 1}}),
    "cut": Fault(cut_after=0),
    "hang": Fault(hang_after=0),
    "error line": Fault(error_after=0),
    "garbage": Fault(garbage_after=0),
    "another protocol": Fault(status=200, body=b"<html>Welcome</html>"),
    "a message of another type": Fault(status=200, body=b'{"message": "hello", "done": false}\n'),
    "nothing at all": Fault(status=200, body=b""),
}


@pytest.mark.parametrize("fault", BEFORE_THE_FIRST_PIECE.values(), ids=BEFORE_THE_FIRST_PIECE.keys())
async def test_a_failure_before_the_first_piece_is_unavailable(model: OllamaChatModel, ollama: StandInOllama, fault: Fault) -> None:
    ollama.fail("/api/chat", fault, times=1)
    text, error = await asked(model)

    assert (text, type(error)) == ("", ModelUnavailableError)
    assert error is not None
    assert "nomic" not in error.message
    assert await asked(model) == ("One two three", None)


IN_THE_MIDDLE = {
    "cut": Fault(cut_after=2),
    "hang": Fault(hang_after=2),
    "error line": Fault(error_after=2),
    "garbage": Fault(garbage_after=2),
}


@pytest.mark.parametrize("fault", IN_THE_MIDDLE.values(), ids=IN_THE_MIDDLE.keys())
async def test_a_failure_after_the_first_piece_cuts_the_answer(model: OllamaChatModel, ollama: StandInOllama, fault: Fault) -> None:
    ollama.fail("/api/chat", fault, times=1)
    text, error = await asked(model)

    assert (text, type(error)) == ("One two", AnswerCutError)
    assert await asked(model) == ("One two three", None)


AT_THE_END = {
    "no done": Fault(without_done=True),
    "cut before done": Fault(cut_after=3),
    "hang before done": Fault(hang_after=3),
    "error instead of done": Fault(error_after=3),
}


@pytest.mark.parametrize("fault", AT_THE_END.values(), ids=AT_THE_END.keys())
async def test_a_stream_without_its_done_is_never_a_whole_answer(
    model: OllamaChatModel, ollama: StandInOllama, fault: Fault
) -> None:
    ollama.fail("/api/chat", fault)
    text, error = await asked(model)

    assert (text, type(error)) == ("One two three", AnswerCutError)


async def test_a_server_that_is_down_is_unavailable_at_once_and_comes_back(model: OllamaChatModel, ollama: StandInOllama) -> None:
    assert await asked(model) == ("One two three", None)
    async with ollama.refusing():
        patient = OllamaChatModel(ollama.url, default_model=MODEL, connect_timeout=600, first_token_timeout=600)
        async with asyncio.timeout(30):
            _, error = await asked(patient)
        await patient.aclose()
        assert type(error) is ModelUnavailableError
        with pytest.raises(ModelUnavailableError):
            await model.check()
        with pytest.raises(ModelUnavailableError):
            await model.details(MODEL)

    assert await asked(model) == ("One two three", None)


async def test_a_server_that_dies_in_the_middle_cuts_the_answer(model: OllamaChatModel, ollama: StandInOllama) -> None:
    ollama.fail("/api/chat", Fault(hang_after=1))
    asking = asyncio.create_task(asked(model))
    await asyncio.sleep(0.2)
    await ollama.refuse()
    text, error = await asking

    assert (text, type(error)) == ("One", AnswerCutError)
    assert ollama.streams_dropped == 0


async def test_a_model_that_is_not_there_names_the_command(model: OllamaChatModel) -> None:
    _, error = await asked(model, name="mistral:7b")

    assert type(error) is ModelMissingError
    assert error.message.endswith("docent models pull mistral:7b")
    with pytest.raises(ModelMissingError, match="docent models pull mistral:7b"):
        await model.details("mistral:7b")


async def test_a_prompt_over_the_window_is_refused_and_not_cut(model: OllamaChatModel) -> None:
    _, error = await asked(model, question="word " * 4000)

    assert isinstance(error, PromptTooLongError)
    assert (error.tokens, error.window) == (5334, 4096)


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


async def test_slow_tokens_within_the_deadline_are_fine(model: OllamaChatModel, ollama: StandInOllama) -> None:
    ollama.fail("/api/chat", Fault(interval=0.2))

    assert await asked(model) == ("One two three", None)


async def test_a_hanging_model_is_freed_at_the_deadline(model: OllamaChatModel, ollama: StandInOllama) -> None:
    ollama.fail("/api/chat", Fault(hang_after=1), times=1)
    ollama.fail("/api/chat", Fault(hang_after=0), times=1)
    await asked(model)
    await asked(model)

    await ollama.dropped(2)
