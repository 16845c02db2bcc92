"""What routes ask for, as annotated aliases."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query, Request, Response
from fastapi.security import OAuth2PasswordBearer

from backend.api.errors import TOKEN_PATH
from backend.api.uploads import incoming_file
from backend.core.errors import TokenInvalidError
from backend.core.values.document import Upload
from backend.core.values.page import Cursor
from backend.core.values.user import Caller as CallerValue
from backend.services.accounts import AccountService
from backend.services.chat import ChatService
from backend.services.documents import DocumentService
from backend.services.maintenance import MaintenanceService
from backend.services.registry import Services
from backend.services.sessions import SessionService

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


async def _sessions(services: AllServices) -> SessionService:
    return services.sessions


Accounts = Annotated[AccountService, Depends(_accounts)]
Chat = Annotated[ChatService, Depends(_chat)]
Documents = Annotated[DocumentService, Depends(_documents)]
Maintenance = Annotated[MaintenanceService, Depends(_maintenance)]
Sessions = Annotated[SessionService, Depends(_sessions)]


async def _caller(accounts: Accounts, token: Annotated[str | None, Depends(_bearer)]) -> CallerValue:
    if token is None:
        raise TokenInvalidError
    return await accounts.caller(token)


Caller = Annotated[CallerValue, Depends(_caller)]


async def _user_agent(request: Request) -> str | None:
    """What people recognise their sign-ins by; a client may send any amount of it."""
    return request.headers.get("user-agent", "")[:300] or None


UserAgent = Annotated[str | None, Depends(_user_agent)]


async def never_cached(response: Response) -> None:
    """Keep tokens and personal data out of caches (RFC 6749, section 5.1)."""
    response.headers["Cache-Control"] = "no-store"


async def _incoming_file(request: Request, _caller: Caller) -> Upload:
    """Who calls is known before the first byte of the file is read."""
    return await incoming_file(request, max_bytes=request.app.state.max_upload_bytes)


IncomingFile = Annotated[Upload, Depends(_incoming_file)]


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
