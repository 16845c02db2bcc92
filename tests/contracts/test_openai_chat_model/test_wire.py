"""What is particular to OpenAI's wire format. What all providers do is in test_chat_models."""

import pytest

from backend.adapters.chat_models.openai_compatible import OpenAICompatibleChatModel, preset_for
from backend.core.errors import AnswerCutError
from backend.ports.chat_model import Finish, Generation, Infill, Piece, Prompt
from tests.contracts.test_openai_chat_model.asking import CHAT, MODEL, asked, named, streamed
from tests.support.ollama import Fault, StandInOllama


async def test_wishes_are_sent_as_the_format_names_them(model: OpenAICompatibleChatModel, server: StandInOllama) -> None:
    shape = {"type": "object"}
    await asked(model, Generation(MODEL, 4096, max_tokens=9, temperature=0.5, top_p=0.9, seed=7, stop=("END",), shape=shape))
    await asked(model, Generation(MODEL, 4096, shape={}))

    assert server.requests[0].authorization == "Bearer sk-secret"
    assert server.requests[0].json == {
        "model": MODEL,
        "messages": [{"role": "user", "content": "Hello?"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 7,
        "stop": ["END"],
        "max_tokens": 9,
        "response_format": {"type": "json_schema", "json_schema": {"name": "reply", "schema": shape}},
    }
    assert server.requests[1].json["response_format"] == {"type": "json_object"}
    assert "max_tokens" not in server.requests[1].json


def test_only_openai_itself_gets_the_newer_fields() -> None:
    assert preset_for("openai").limit == preset_for("openai", "https://api.openai.com/v1").limit == "max_completion_tokens"
    assert preset_for("openai", "http://127.0.0.1:1234/v1").limit == preset_for("vllm").limit == "max_tokens"


@pytest.mark.parametrize("provider", ["vllm", "llamacpp"])
async def test_a_model_that_reasons_by_choice_is_asked_not_to_through_its_template(server: StandInOllama, provider: str) -> None:
    model = named(server, provider)
    await asked(model, Generation(MODEL, 4096, think=False))
    await model.aclose()

    assert server.requests[0].json["chat_template_kwargs"] == {"enable_thinking": False}


GAP = Infill("def add(a, b):\n    return ", "\n")


@pytest.mark.parametrize(
    ("provider", "path", "fields"),
    [
        ("llamacpp", "/infill", {"input_prefix": GAP.prefix, "input_suffix": GAP.suffix, "n_predict": 2}),
        ("openai", "/v1/completions", {"prompt": GAP.prefix, "suffix": GAP.suffix, "max_tokens": 2}),
    ],
)
async def test_a_gap_is_filled_where_the_server_knows_how(
    server: StandInOllama, provider: str, path: str, fields: dict[str, object]
) -> None:
    server.reply = ["a + ", "b", " + c"]
    model = named(server, provider)
    out, error = await asked(model, Generation(MODEL, 4096, max_tokens=2), Prompt((), "", infill=GAP))
    await model.aclose()

    assert error is None
    assert [piece.text for piece in out] == ["a + ", "b", ""]
    assert out[-1].finish is not None
    assert (out[-1].finish.reason, out[-1].finish.completion_tokens) == ("length", 4)
    assert server.requests[0].path == path
    assert fields.items() <= server.requests[0].json.items()


SAID = 'data: {"choices": [{"delta": {"content": "Hi"}, "finish_reason": null}]}'
ENDS = {
    "a reason and no [DONE]": (streamed(SAID, 'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}'), Finish("stop")),
    "empty reasons until the last": (
        streamed(
            'data: {"choices": [{"delta": {"content": ""}, "finish_reason": ""}]}',
            SAID.replace("null", '""'),
            'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}',
        ),
        Finish("stop"),
    ),
    "[DONE] and no reason": (streamed(SAID, "data: [DONE]"), Finish("stop")),
    "counts with the reason": (
        streamed(
            ": a comment",
            SAID,
            'data:{"choices": [{"delta": {"content": ""}, "finish_reason": "eos"}],'
            ' "usage": {"prompt_tokens": 3, "completion_tokens": 1}}',
        ),
        Finish("stop", 3, 1),
    ),
    "counts that cannot be": (
        streamed(
            SAID,
            'data: {"choices": [{"delta": {}, "finish_reason": "stop"}],'
            ' "usage": {"prompt_tokens": -3, "completion_tokens": 99999999999}}',
        ),
        Finish("stop"),
    ),
    "garbage behind the reason": (
        streamed(SAID, 'data: {"choices": [{"delta": {}, "finish_reason": "length"}]}', "data: <garbage>"),
        Finish("length"),
    ),
    "a filter": (
        streamed(SAID, 'data: {"choices": [{"delta": {}, "finish_reason": "content_filter"}]}', "data: [DONE]"),
        Finish("content_filter"),
    ),
}


@pytest.mark.parametrize(("fault", "finish"), ENDS.values(), ids=ENDS.keys())
async def test_every_way_to_say_that_it_is_over_is_understood(
    model: OpenAICompatibleChatModel, server: StandInOllama, fault: Fault, finish: Finish
) -> None:
    server.fail(CHAT, fault)

    assert await asked(model) == ([Piece("Hi"), Piece("", finish=finish)], None)


@pytest.mark.parametrize(
    "end",
    [
        'data: {"choices": [{"delta": {}, "finish_reason": "error"}]}',
        'data: {"choices": [{"delta": {}, "finish_reason": ""}]}',
        'data: {"error": {"message": "dead"}}',
        'data: {"choices": [null]}',
        'data: {"choices": {"a": 1}}',
        'data: {"choices": [{"delta": "x"}]}',
        'data: {"choices": [{"delta": {"content": {}}, "finish_reason": 5}]}',
        'data: {"choi',
    ],
)
async def test_a_reply_that_failed_or_was_cut_is_never_whole(
    model: OpenAICompatibleChatModel, server: StandInOllama, end: str
) -> None:
    server.fail(CHAT, streamed(SAID, end))
    out, error = await asked(model)

    assert (out, type(error)) == ([Piece("Hi")], AnswerCutError)
