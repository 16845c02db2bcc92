"""Who asks, what they may do, and how much of it at the same time."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import Depends, Request, Response, Security
from fastapi.security import OAuth2PasswordBearer, SecurityScopes

from backend.api.browsers import cookie_of
from backend.api.deps.services import AllServices, Usage
from backend.api.errors import TOKEN_PATH
from backend.api.limits import count_request
from backend.core.errors import AdminOnlyError, DocumentNotFoundError, ScopeMissingError, TokenInvalidError
from backend.core.values.user import Caller as CallerValue
from backend.core.values.user import Origin as OriginValue
from backend.services.accounts.credentials import SESSION_PREFIX
from backend.services.keys import KEY_PREFIX

# auto_error off: a missing token gets the same problem as a wrong one.
_bearer = OAuth2PasswordBearer(tokenUrl=TOKEN_PATH, auto_error=False)


async def _origin(request: Request) -> OriginValue:
    """The peer's address as the server gives it: a proxy's word counts only if it is named in FORWARDED_ALLOW_IPS."""
    agent = request.headers.get("user-agent")
    return OriginValue(request.client.host if request.client else None, agent[:300] if agent else None)


Origin = Annotated[OriginValue, Depends(_origin)]


async def _credential(request: Request, services: AllServices, token: Annotated[str | None, Depends(_bearer)]) -> CallerValue:
    """Read whichever credential was sent: the one place that does. Its request is counted as soon as its account is known."""
    token = token or cookie_of(request)
    if token is None:
        raise TokenInvalidError
    if token.startswith(f"{KEY_PREFIX}_"):
        caller = await services.keys.caller(token)
    elif token.startswith(f"{SESSION_PREFIX}_"):
        caller = await services.accounts.session_caller(token)
    else:
        caller = await services.accounts.caller(token)
    # For the lines of this request, and of all that it begins.
    structlog.contextvars.bind_contextvars(user_id=str(caller.user_id))
    await count_request(request, services.usage, caller)
    return caller


async def _caller(needed: SecurityScopes, caller: Annotated[CallerValue, Depends(_credential)]) -> CallerValue:
    """Let a key do what it was made for, and a person who signed in everything that is theirs."""
    if caller.key_id is not None and not caller.scopes.issuperset(needed.scopes):
        raise ScopeMissingError
    return caller


async def never_cached(response: Response) -> None:
    """Keep tokens and personal data out of caches (RFC 6749, section 5.1)."""
    response.headers["Cache-Control"] = "no-store"


async def _signed_in(caller: Annotated[CallerValue, Security(_caller)]) -> CallerValue:
    """What concerns the account itself wants a person who signed in, and no key."""
    if caller.sign_in_id is None:
        raise ScopeMissingError("An API key cannot do that. Sign in.")
    return caller


async def _admin(caller: Annotated[CallerValue, Security(_caller, scopes=["admin"])]) -> CallerValue:
    if caller.role != "admin":
        raise AdminOnlyError
    return caller


Caller = Annotated[CallerValue, Security(_caller)]
SignedIn = Annotated[CallerValue, Depends(_signed_in)]
Admin = Annotated[CallerValue, Depends(_admin)]
Asker = Annotated[CallerValue, Security(_caller, scopes=["chat"])]
Reader = Annotated[CallerValue, Security(_caller, scopes=["documents:read"])]
Writer = Annotated[CallerValue, Security(_caller, scopes=["documents:write"])]


async def _reachable(document_id: UUID, caller: Caller) -> UUID:
    """A document out of a key's reach does not exist for it."""
    if not caller.reach.covers([document_id]):
        raise DocumentNotFoundError
    return document_id


DocumentId = Annotated[UUID, Depends(_reachable)]


async def _running_answer(caller: Asker, usage: Usage) -> AsyncIterator[None]:
    """Left when the response has ended, whichever way."""
    async with usage.enter_stream(caller.user_id, caller.tier):
        yield


RunningAnswer = Annotated[None, Depends(_running_answer)]


async def _running_export(caller: SignedIn, usage: Usage) -> AsyncIterator[None]:
    """Left when the response has ended, whichever way."""
    async with usage.enter_export(caller.user_id):
        yield


RunningExport = Annotated[None, Depends(_running_export)]


async def _watched_document(caller: Reader, usage: Usage) -> AsyncIterator[None]:
    """Left when the response has ended, whichever way."""
    async with usage.enter_watch(caller.user_id):
        yield


WatchedDocument = Annotated[None, Depends(_watched_document)]


async def _followed_answer(caller: Asker, usage: Usage) -> AsyncIterator[None]:
    """Left when the response has ended, whichever way."""
    async with usage.enter_follow(caller.user_id):
        yield


FollowedAnswer = Annotated[None, Depends(_followed_answer)]
