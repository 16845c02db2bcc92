"""Questions."""

from typing import Any

from fastapi import APIRouter, Request, Response

from backend.api.deps import Asker, Chat
from backend.api.errors import problems
from backend.api.sse import respond
from backend.core.errors import (
    AnswerCutError,
    DocumentNotFoundError,
    ModelMissingError,
    ModelUnavailableError,
    QuestionTooLongError,
    SessionBusyError,
    SessionNotFoundError,
    TokenInvalidError,
)
from backend.schemas.chat import AnswerOut, QueryIn

router = APIRouter(prefix="/chat", tags=["chat"])

STREAMED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer; with `stream: true` as events: `run`, `sources`, `delta`..., then `done` or `error`.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


@router.post(
    "/query",
    response_model=AnswerOut,
    responses={
        **STREAMED,
        **problems(
            TokenInvalidError,
            SessionNotFoundError,
            DocumentNotFoundError,
            SessionBusyError,
            QuestionTooLongError,
            ModelUnavailableError,
            ModelMissingError,
            AnswerCutError,
        ),
    },
)
async def query(body: QueryIn, caller: Asker, chat: Chat, request: Request) -> Response:
    """Ask a question about the caller's documents. A client that disconnects stops the answer; what was said is kept."""
    turn = await chat.ask(caller.user_id, body.question(), streamed=body.stream)
    return await respond(turn, request)
