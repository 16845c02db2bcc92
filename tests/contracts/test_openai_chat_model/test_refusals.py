"""What servers of OpenAI's wire format refuse, and in which words."""

import orjson
import pytest

from backend.adapters.chat_models.openai_compatible import OpenAICompatibleChatModel
from backend.core.errors import ModelRefusedError, ModelUnavailableError, PromptTooLongError
from tests.contracts.test_openai_chat_model.asking import CHAT, asked, streamed
from tests.support.ollama import Fault, StandInOllama

TOO_LONG: list[tuple[dict[str, object], int | None, int | None]] = [
    (
        {
            "message": "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens "
            "(8500 in the messages, 500 in the completion). Please reduce the length of the messages or completion.",
            "code": "context_length_exceeded",
        },
        8500,
        8192,
    ),
    (
        {
            "message": "This model's maximum context length is 4096 tokens. However, you requested 100 output tokens and your "
            "prompt contains at least 4000 input tokens, for a total of at least 4100 tokens.",
            "code": 400,
        },
        4000,
        4096,
    ),
    (
        {"message": "the request exceeds the available context size, try increasing it", "n_prompt_tokens": 5334, "n_ctx": 4096},
        5334,
        4096,
    ),
    ({"message": "request (5334 tokens) exceeds the available context size (4096 tokens), try increasing it"}, 5334, 4096),
    (
        {"message": "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens and 9 `max_new_tokens`"},
        5000,
        4096,
    ),
    ({"message": "Too much.", "code": "context_length_exceeded"}, None, None),
]


@pytest.mark.parametrize("in_stream", [False, True], ids=["status", "in the stream"])
@pytest.mark.parametrize("wording", TOO_LONG)
async def test_every_wording_of_too_long_is_known(
    model: OpenAICompatibleChatModel,
    server: StandInOllama,
    wording: tuple[dict[str, object], int | None, int | None],
    in_stream: bool,
) -> None:
    error, tokens, window = wording
    body = {"error": error}
    server.fail(CHAT, streamed(f"data: {orjson.dumps(body).decode()}") if in_stream else Fault(status=400, body=body))
    _, refused = await asked(model)

    assert isinstance(refused, PromptTooLongError)
    assert (refused.tokens, refused.window) == (tokens, window)


async def test_a_reply_that_may_not_be_that_long_is_no_fault_of_the_prompt(
    model: OpenAICompatibleChatModel, server: StandInOllama
) -> None:
    said = "max_tokens is too large: 99999. This model supports at most 16384 completion tokens, whereas you provided 99999."
    server.fail(CHAT, Fault(status=400, body={"error": {"message": said}}))

    assert type((await asked(model))[1]) is ModelRefusedError


async def test_refusals_say_what_whoever_runs_the_server_has_to_do(model: OpenAICompatibleChatModel, server: StandInOllama) -> None:
    for status in (401, 403):
        server.fail(CHAT, Fault(status=status, body={"error": {"message": "Incorrect API key provided: sk-secret"}}), times=1)
        _, error = await asked(model)
        assert isinstance(error, ModelUnavailableError)
        assert "OPENAI_API_KEY" in error.message
        assert "sk-" not in error.message
    server.fail(CHAT, Fault(status=429, body={"error": {"message": "x", "code": "insufficient_quota"}}), times=1)
    _, error = await asked(model)
    assert isinstance(error, ModelUnavailableError)
    assert (error.retryable, "credit" in error.message) == (False, True)


@pytest.mark.parametrize(("said", "seconds"), [("7", 7), (None, 5), ("Wed, 21 Oct 2026 07:28:00 GMT", 5), ("999999", 3600)])
async def test_a_busy_server_says_when_to_come_back(
    model: OpenAICompatibleChatModel, server: StandInOllama, said: str | None, seconds: int
) -> None:
    server.fail(CHAT, Fault(status=429, retry_after=said))
    _, error = await asked(model)

    assert isinstance(error, ModelUnavailableError)
    assert (error.retryable, error.retry_after_seconds) == (True, seconds)
