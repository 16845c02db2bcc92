"""Questions."""

from typing import Any

from fastapi import APIRouter, Request, Response

from backend.api.deps import Asker, Chat, RunningAnswer
from backend.api.errors import problems
from backend.api.idempotency import Once, fingerprint_of
from backend.api.sse import replayed, respond
from backend.core.errors import (
    AnswerCutError,
    DocumentNotFoundError,
    IdempotencyKeyBusyError,
    IdempotencyKeyReusedError,
    MessageNotFoundError,
    ModelMissingError,
    ModelNotAllowedError,
    ModelRefusedError,
    ModelUnavailableError,
    ModelUnknownError,
    QuestionTooLongError,
    QuotaExceededError,
    SessionBusyError,
    SessionNotFoundError,
    TokenInvalidError,
)
from backend.core.values.idempotency import StoredOutcome
from backend.schemas.chat import AnswerOut, QueryIn

router = APIRouter(prefix="/chat", tags=["chat"])

STREAMED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer; with `stream: true` as events: `run`, `sources`, `delta`..., then `done` or `error`.",
        # This version of OpenAPI has no word for a stream: what is described is one event of it.
        "content": {
            "text/event-stream": {
                "schema": {
                    "title": "AnswerEvent",
                    "type": "object",
                    "required": ["event", "id", "data"],
                    "properties": {
                        "event": {"enum": ["run", "sources", "delta", "done", "error"]},
                        "id": {"type": "string"},
                        "data": {"type": "string", "contentMediaType": "application/json"},
                    },
                }
            }
        },
    }
}


@router.post(
    "/query",
    response_model=AnswerOut,
    responses={
        **STREAMED,
        **problems(
            TokenInvalidError,
            QuotaExceededError,
            SessionNotFoundError,
            DocumentNotFoundError,
            MessageNotFoundError,
            IdempotencyKeyBusyError,
            IdempotencyKeyReusedError,
            SessionBusyError,
            QuestionTooLongError,
            ModelUnavailableError,
            ModelMissingError,
            ModelUnknownError,
            ModelNotAllowedError,
            ModelRefusedError,
            AnswerCutError,
        ),
    },
)
async def query(body: QueryIn, caller: Asker, chat: Chat, once: Once, request: Request, _running: RunningAnswer) -> Response:
    """Ask a question about the caller's documents. A client that disconnects stops the answer; what was said is kept."""

    async def ask(key: str | None) -> Response:
        turn = await chat.ask(caller.user_id, body.question(), streamed=body.stream, idempotency_key=key, reach=caller.reach)
        return await respond(turn, request)

    async def replay(earlier: StoredOutcome) -> Response:
        return replayed(await chat.answer(caller.user_id, earlier.made), streamed=body.stream)

    return await once.run(caller, "query", ask, replay, fingerprint=fingerprint_of(body))
