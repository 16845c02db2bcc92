"""Limits on the wire: the headers that tell them, and the dependency that counts.

The headers are those of the IETF's draft "RateLimit header fields for HTTP" (draft-ietf-httpapi-ratelimit-headers-10).
"""

from dataclasses import dataclass
from math import ceil

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.core.values.user import Caller
from backend.ports.limiter import Allowance
from backend.services.usage import MINUTE, UsageService, assert_allowed

KEY = "docent.limits"


@dataclass(slots=True)
class Counted:
    """What was counted for a request. It lies in the scope, so that whatever answers, an error too, carries the headers."""

    user: bool = False
    allowance: Allowance | None = None


class RateLimitHeaders:
    """Tells the state of the caller's requests a minute on every answer of a route that knows its caller."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection of the server."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        counted = scope[KEY] = Counted()

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start" and (allowance := counted.allowance) is not None:
                headers = MutableHeaders(scope=message)
                headers["RateLimit-Policy"] = f'"requests";q={allowance.limit};w={MINUTE}'
                headers["RateLimit"] = f'"requests";r={allowance.remaining};t={ceil(allowance.reset_seconds)}'
            await send(message)

        await self._app(scope, receive, send_with_headers)


async def count_request(request: Request, usage: UsageService, caller: Caller) -> None:
    """Count a request for its caller, once, however many of its dependencies ask who that is.

    Raises:
        RateLimitedError: The account's minute is used up.
    """
    counted: Counted = request.scope[KEY]
    if counted.user:
        return
    counted.user = True
    counted.allowance = await usage.count_request(caller.user_id, caller.tier)
    if counted.allowance is not None:
        assert_allowed(counted.allowance)


def announced_bytes(request: Request, *, envelope: int) -> int | None:
    """Return the size of a file that is announced by the length of its request, on the low side: all but its envelope."""
    announced = request.headers.get("content-length", "")
    return max(int(announced) - envelope, 0) if announced.isdecimal() else None
