"""What can be done to messages: answers given anew, branches, feedback."""

from uuid import UUID

from fastapi import APIRouter, Request, Response, status

from backend.api.deps import Asker, Chat, RunningAnswer, Sessions
from backend.api.errors import problems
from backend.api.idempotency import Once, fingerprint_of
from backend.api.routes.chat import STREAMED
from backend.api.sse import replayed, respond
from backend.core.errors import (
    AnswerCutError,
    AnswerNotNewestError,
    IdempotencyKeyBusyError,
    IdempotencyKeyReusedError,
    MessageNotFoundError,
    ModelMissingError,
    ModelNotAllowedError,
    ModelRefusedError,
    ModelUnavailableError,
    ModelUnknownError,
    NotAnAnswerError,
    QuestionTooLongError,
    QuotaExceededError,
    SessionBusyError,
    SessionNotFoundError,
    TokenInvalidError,
)
from backend.core.values.idempotency import StoredOutcome
from backend.schemas.chat import AnswerOut
from backend.schemas.messages import FeedbackIn, RegenerateIn
from backend.schemas.sessions import MessageOut, SessionOut

router = APIRouter(
    prefix="/chat/sessions/{session_id}/messages/{message_id}",
    tags=["sessions"],
    responses=problems(TokenInvalidError, SessionNotFoundError, MessageNotFoundError),
)


@router.post(
    "/regenerate",
    response_model=AnswerOut,
    responses={
        **STREAMED,
        **problems(
            QuotaExceededError,
            SessionBusyError,
            AnswerNotNewestError,
            IdempotencyKeyBusyError,
            NotAnAnswerError,
            IdempotencyKeyReusedError,
            QuestionTooLongError,
            ModelUnknownError,
            ModelNotAllowedError,
            ModelRefusedError,
            ModelUnavailableError,
            ModelMissingError,
            AnswerCutError,
        ),
    },
)
async def regenerate_answer(
    session_id: UUID,
    message_id: UUID,
    body: RegenerateIn,
    *,
    caller: Asker,
    chat: Chat,
    once: Once,
    request: Request,
    _running: RunningAnswer,
) -> Response:
    """Give the newest answer of a conversation anew. The new one takes its place, unless it fails or its reader leaves."""

    async def ask(key: str | None) -> Response:
        turn = await chat.ask(
            caller.user_id,
            body.question(session_id),
            streamed=body.stream,
            idempotency_key=key,
            reach=caller.reach,
            again=message_id,
        )
        return await respond(turn, request)

    async def replay(earlier: StoredOutcome) -> Response:
        return replayed(await chat.answer(caller.user_id, earlier.made), streamed=body.stream)

    return await once.run(caller, f"regenerate {session_id} {message_id}", ask, replay, fingerprint=fingerprint_of(body))


@router.post("/branch", status_code=status.HTTP_201_CREATED, responses=problems(SessionBusyError))
async def branch_session(session_id: UUID, message_id: UUID, caller: Asker, sessions: Sessions, response: Response) -> SessionOut:
    """Begin a conversation with copies of the messages up to an answer, or of those before a question."""
    session = await sessions.branch(caller.user_id, session_id, message_id, reach=caller.reach)
    response.headers["Location"] = f"/api/v1/chat/sessions/{session.id}"
    return SessionOut.of(session)


@router.put("/feedback", responses=problems(NotAnAnswerError))
async def rate_answer(session_id: UUID, message_id: UUID, body: FeedbackIn, caller: Asker, sessions: Sessions) -> MessageOut:
    """Say what one thinks of an answer; a rating that is null takes it back."""
    return MessageOut.of(
        await sessions.rate(caller.user_id, session_id, message_id, rating=body.rating, comment=body.comment, reach=caller.reach)
    )
