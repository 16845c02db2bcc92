"""Assistants: a prompt to a model, and help with SQL and code."""

from typing import Any

from fastapi import APIRouter, Request, Response

from backend.api.deps import Asker, Assist, RunningAnswer
from backend.api.errors import problems
from backend.api.replies import ReplyEncoder, ReplyStream, while_there, whole
from backend.core.errors import (
    AnswerCutError,
    ModelMissingError,
    ModelNotAllowedError,
    ModelRefusedError,
    ModelUnavailableError,
    ModelUnknownError,
    NoLanguageModelError,
    PromptTooLongError,
    QuotaExceededError,
    TokenInvalidError,
)
from backend.schemas.assist import CompleteIn, CompleteOut, GenerateIn, GenerateOut, SqlAssistIn, SqlAssistOut
from backend.services.generating.reply import Generated

router = APIRouter(prefix="/ai", tags=["ai"])

FAILURES = problems(
    TokenInvalidError,
    QuotaExceededError,
    PromptTooLongError,
    ModelUnknownError,
    ModelNotAllowedError,
    ModelRefusedError,
    NoLanguageModelError,
    ModelUnavailableError,
    ModelMissingError,
    AnswerCutError,
)
STREAMED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The reply; with `stream: true` as events: `delta` or `thinking`..., then `done` or `error`.",
        # This version of OpenAPI has no word for a stream: what is described is one event of it.
        "content": {
            "text/event-stream": {
                "schema": {
                    "title": "ReplyEvent",
                    "type": "object",
                    "required": ["event", "id", "data"],
                    "properties": {
                        "event": {"enum": ["delta", "thinking", "done", "error"]},
                        "id": {"type": "string"},
                        "data": {"type": "string", "contentMediaType": "application/json"},
                    },
                }
            }
        },
    }
}


@router.post("/generate", response_model=GenerateOut, responses={**STREAMED, **FAILURES})
async def generate(body: GenerateIn, caller: Asker, assist: Assist, request: Request, _running: RunningAnswer) -> Response:
    """Have a model write what a prompt asks for, without documents. A client that disconnects stops it; nothing is kept."""
    reply = await assist.generate(caller.user_id, body.wanted())
    if body.stream:
        return ReplyStream(reply, ReplyEncoder(GenerateOut.of, without="response"))
    return await whole(request, reply, GenerateOut.of)


@router.post("/sql/assist", response_model=SqlAssistOut, responses=FAILURES)
async def assist_with_sql(body: SqlAssistIn, caller: Asker, assist: Assist, request: Request, _running: RunningAnswer) -> Response:
    """Write, explain, optimize or fix SQL. What comes is SQL without fences, an explanation, and whether the SQL parses."""

    async def assisted() -> SqlAssistOut:
        found, generated = await assist.sql(caller.user_id, body.wanted())
        return SqlAssistOut.of(found, generated, body.dialect)

    return await while_there(request, assisted())


@router.post("/code/complete", response_model=CompleteOut, responses={**STREAMED, **FAILURES})
async def complete_code(body: CompleteIn, caller: Asker, assist: Assist, request: Request, _running: RunningAnswer) -> Response:
    """Fill a gap in code: by a model that was trained to, where it can, or by one that is asked to."""
    completion = await assist.complete(caller.user_id, body.wanted())

    def out(generated: Generated) -> CompleteOut:
        text = completion.clean(generated.text) if completion.clean else generated.text
        return CompleteOut.of(text, completion.filled, generated)

    if body.stream:
        return ReplyStream(completion.reply, ReplyEncoder(out, without="completion", clean=completion.clean))
    return await whole(request, completion.reply, out)
