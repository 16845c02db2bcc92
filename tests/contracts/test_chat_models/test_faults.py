"""Whatever goes wrong at a provider, its adapter raises the error that the port names."""

import asyncio

import pytest

from backend.core.errors import AnswerCutError, ModelRefusedError, ModelUnavailableError, PromptTooLongError
from backend.ports.chat_model import ChatModel
from tests.contracts.test_chat_models.asking import asked
from tests.support.ollama import Fault, StandInOllama
from tests.support.providers import Kind

# With whether another try at once may help.
BEFORE_THE_FIRST_PIECE = {
    "500": (Fault(status=500), False),
    "503": (Fault(status=503), True),
    "429": (Fault(status=429), True),
    "401": (Fault(status=401), False),
    "502 from a proxy": (Fault(status=502, body=b"<html>Bad gateway</html>"), True),
    "cut": (Fault(cut_after=0), True),
    "hang": (Fault(hang_after=0), False),
    "error": (Fault(error_after=0), False),
    "garbage": (Fault(garbage_after=0), False),
    "another protocol": (Fault(status=200, body=b"<html>Welcome</html>"), False),
    "nothing at all": (Fault(status=200, body=b""), False),
}


@pytest.mark.parametrize(("fault", "retryable"), BEFORE_THE_FIRST_PIECE.values(), ids=BEFORE_THE_FIRST_PIECE.keys())
async def test_a_failure_before_the_first_piece_is_unavailable(
    hasty: ChatModel, kind: Kind, server: StandInOllama, fault: Fault, retryable: bool
) -> None:
    server.fail(kind.path, fault, times=1)
    text, error = await asked(hasty)

    assert isinstance(error, ModelUnavailableError)
    assert (text, error.retryable) == ("", retryable)
    assert "nomic" not in error.message
    assert "secret" not in error.message
    assert len(server.requests) == 1
    assert await asked(hasty) == ("One two three", None)


REFUSALS = {
    "400 that is not about length": Fault(status=400, body={"error": '"nomic-embed-text" does not support chat'}),
    "400 without a sentence": Fault(status=400, body={"error": {"code": 1}}),
    "422": Fault(status=422, body={"detail": "secret"}),
}


@pytest.mark.parametrize("fault", REFUSALS.values(), ids=REFUSALS.keys())
async def test_a_refusal_of_the_request_is_no_outage(hasty: ChatModel, kind: Kind, server: StandInOllama, fault: Fault) -> None:
    server.fail(kind.path, fault, times=1)
    text, error = await asked(hasty)

    assert (text, type(error)) == ("", ModelRefusedError)
    assert not {"nomic", "secret"} & set(str(error).split())
    assert len(server.requests) == 1


AFTER_IT = {
    "cut": (Fault(cut_after=2), "One two"),
    "hang": (Fault(hang_after=2), "One two"),
    "error": (Fault(error_after=2), "One two"),
    "garbage": (Fault(garbage_after=2), "One two"),
    "no end": (Fault(without_done=True), "One two three"),
    "cut before the end": (Fault(cut_after=3), "One two three"),
    "hang before the end": (Fault(hang_after=3), "One two three"),
    "error instead of the end": (Fault(error_after=3), "One two three"),
}


@pytest.mark.parametrize(("fault", "said"), AFTER_IT.values(), ids=AFTER_IT.keys())
async def test_a_failure_after_the_first_piece_cuts_the_answer(
    hasty: ChatModel, kind: Kind, server: StandInOllama, fault: Fault, said: str
) -> None:
    server.fail(kind.path, fault, times=1)
    text, error = await asked(hasty)

    assert (text, type(error)) == (said, AnswerCutError)
    assert await asked(hasty) == ("One two three", None)


async def test_a_server_that_is_down_is_unavailable_at_once_and_comes_back(model: ChatModel, server: StandInOllama) -> None:
    assert await asked(model) == ("One two three", None)
    async with server.refusing():
        async with asyncio.timeout(25):
            _, error = await asked(model)

        assert isinstance(error, ModelUnavailableError)
        assert error.retryable

    assert await asked(model) == ("One two three", None)


async def test_a_server_that_dies_in_the_middle_cuts_the_answer(model: ChatModel, kind: Kind, server: StandInOllama) -> None:
    server.fail(kind.path, Fault(hang_after=1))
    asking = asyncio.create_task(asked(model))
    async with asyncio.timeout(60):
        while not server.streams_opened:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    await server.refuse()
    text, error = await asking

    assert (text, type(error)) == ("One", AnswerCutError)
    assert server.streams_dropped == 0


async def test_a_prompt_over_the_window_is_refused_and_not_cut(model: ChatModel) -> None:
    _, error = await asked(model, question="word " * 4000)

    assert isinstance(error, PromptTooLongError)
    assert (error.tokens, error.window) == (5334, 4096)


async def test_slow_tokens_within_the_deadline_are_fine(hasty: ChatModel, kind: Kind, server: StandInOllama) -> None:
    server.fail(kind.path, Fault(interval=0.1))

    assert await asked(hasty) == ("One two three", None)


async def test_a_hanging_model_is_freed_at_the_deadline(hasty: ChatModel, kind: Kind, server: StandInOllama) -> None:
    server.fail(kind.path, Fault(hang_after=1), times=1)
    server.fail(kind.path, Fault(hang_after=0), times=1)
    await asked(hasty)
    await asked(hasty)

    await server.dropped(2)
