"""What routes ask for, as annotated aliases."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response, Security
from fastapi.security import OAuth2PasswordBearer, SecurityScopes

from backend.api.errors import TOKEN_PATH
from backend.api.limits import count_request
from backend.core.errors import AdminOnlyError, DocumentNotFoundError, ScopeMissingError, TokenInvalidError
from backend.core.values.page import Cursor
from backend.core.values.user import Caller as CallerValue
from backend.core.values.user import Origin as OriginValue
from backend.services.accounts.administration import AdministrationService
from backend.services.accounts.credentials import AccountService
from backend.services.accounts.exporting.exporter import AccountExporter
from backend.services.accounts.profile import ProfileService
from backend.services.audit import AuditService
from backend.services.chat import ChatService
from backend.services.documents.library import DocumentService
from backend.services.keys import KEY_PREFIX, KeyService
from backend.services.maintenance import MaintenanceService
from backend.services.registry import Services
from backend.services.reindexing import ReindexService
from backend.services.search import SearchService
from backend.services.sessions import SessionService
from backend.services.streams import StreamService
from backend.services.throttling import ThrottleService
from backend.services.usage import UsageService

# auto_error off: a missing token gets the same problem as a wrong one.
_bearer = OAuth2PasswordBearer(tokenUrl=TOKEN_PATH, auto_error=False)


async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


AllServices = Annotated[Services, Depends(_services)]


async def _accounts(services: AllServices) -> AccountService:
    return services.accounts


async def _chat(services: AllServices) -> ChatService:
    return services.chat


async def _documents(services: AllServices) -> DocumentService:
    return services.documents


async def _maintenance(services: AllServices) -> MaintenanceService:
    return services.maintenance


async def _search(services: AllServices) -> SearchService:
    return services.search


async def _sessions(services: AllServices) -> SessionService:
    return services.sessions


async def _streams(services: AllServices) -> StreamService:
    return services.streams


async def _administration(services: AllServices) -> AdministrationService:
    return services.administration


async def _reindexing(services: AllServices) -> ReindexService:
    return services.reindexing


async def _audit(services: AllServices) -> AuditService:
    return services.audit


async def _keys(services: AllServices) -> KeyService:
    return services.keys


async def _throttle(services: AllServices) -> ThrottleService:
    return services.throttle


async def _usage(services: AllServices) -> UsageService:
    return services.usage


async def _exporter(services: AllServices) -> AccountExporter:
    return services.exporter


async def _profile(services: AllServices) -> ProfileService:
    return services.profile


Accounts = Annotated[AccountService, Depends(_accounts)]
Administration = Annotated[AdministrationService, Depends(_administration)]
Audit = Annotated[AuditService, Depends(_audit)]
Reindexing = Annotated[ReindexService, Depends(_reindexing)]
Chat = Annotated[ChatService, Depends(_chat)]
Documents = Annotated[DocumentService, Depends(_documents)]
Exporter = Annotated[AccountExporter, Depends(_exporter)]
Keys = Annotated[KeyService, Depends(_keys)]
Maintenance = Annotated[MaintenanceService, Depends(_maintenance)]
Profile = Annotated[ProfileService, Depends(_profile)]
Search = Annotated[SearchService, Depends(_search)]
Sessions = Annotated[SessionService, Depends(_sessions)]
Streams = Annotated[StreamService, Depends(_streams)]
Throttle = Annotated[ThrottleService, Depends(_throttle)]
Usage = Annotated[UsageService, Depends(_usage)]


async def _origin(request: Request) -> OriginValue:
    """The peer's address as the server gives it: a proxy's word counts only if it is named in FORWARDED_ALLOW_IPS."""
    agent = request.headers.get("user-agent")
    return OriginValue(request.client.host if request.client else None, agent[:300] if agent else None)


Origin = Annotated[OriginValue, Depends(_origin)]


async def _credential(
    request: Request, accounts: Accounts, keys: Keys, usage: Usage, token: Annotated[str | None, Depends(_bearer)]
) -> CallerValue:
    """Read whichever credential was sent: the one place that does. Its request is counted as soon as its account is known."""
    if token is None:
        raise TokenInvalidError
    is_key = token.startswith(f"{KEY_PREFIX}_")
    caller = await keys.caller(token) if is_key else await accounts.caller(token)
    await count_request(request, usage, caller)
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


@dataclass(frozen=True, slots=True)
class Slice:
    """Which part of a list is wanted."""

    limit: int
    after: Cursor | None


async def _slice(
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(min_length=1, max_length=200, description="`next_cursor` of the part before.")] = None,
) -> Slice:
    return Slice(limit, None if cursor is None else Cursor.decode(cursor))


Page = Annotated[Slice, Depends(_slice)]
