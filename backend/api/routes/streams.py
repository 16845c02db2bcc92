"""Answers while they are being given."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Response

from backend.api.deps import Asker, FollowedAnswer, Streams
from backend.api.errors import problems
from backend.api.routes.chat import STREAMED
from backend.api.sse import EventStream
from backend.core.errors import MessageNotFoundError, RateLimitedError, SessionNotFoundError, TokenInvalidError
from backend.schemas.sessions import MessageOut

router = APIRouter(
    prefix="/chat/sessions/{session_id}/messages/{message_id}",
    tags=["chat"],
    responses=problems(TokenInvalidError, SessionNotFoundError, MessageNotFoundError),
)

FOLLOWED: dict[int | str, dict[str, Any]] = {
    200: {**STREAMED[200], "description": "The events that come after that one, to the end: `done` or `error`."}
}
LastEventId = Annotated[
    int,
    Header(alias="Last-Event-ID", ge=0, le=2**53, description="The `id` of the last event that was received; else from the first."),
]


@router.get("/events", response_class=Response, responses={**FOLLOWED, **problems(RateLimitedError)})
async def follow_answer(
    session_id: UUID,
    message_id: UUID,
    caller: Asker,
    streams: Streams,
    _followed: FollowedAnswer,
    last_event_id: LastEventId = 0,
) -> Response:
    """Go on reading an answer after the event that was received last, while it is given or later: nothing is missing or doubled."""
    following = await streams.follow(caller.user_id, session_id, message_id, after=last_event_id, reach=caller.reach)
    return EventStream(following, after=last_event_id)


@router.post("/stop")
async def stop_answer(session_id: UUID, message_id: UUID, caller: Asker, streams: Streams) -> MessageOut:
    """End an answer now and return it as it was stored, `stopped`. One that is over stays as it is."""
    return MessageOut.of(await streams.stop(caller.user_id, session_id, message_id, reach=caller.reach))
