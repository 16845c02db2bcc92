"""What a request may look like before anybody reads it. Pure ASGI, and answers pass through untouched."""

import asyncio
import re
from collections.abc import Collection
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.api.errors import problem_response

TARGET_BYTES = 8192
HEADER_BYTES = 16_384
HEADERS = 100


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """How large a body may be, how long it may pause, and how long it may take: bytes and seconds."""

    bytes: int
    idle_seconds: float
    total_seconds: float


class RequestGuard:
    """Refuses requests that are too large in any respect, and ends those whose body comes too slowly.

    Bodies of ``upload_paths`` (patterns of whole paths) may be of any size and take any time, for their route counts for itself;
    they may not pause either.
    """

    def __init__(self, app: ASGIApp, *, limits: BodyLimits, upload_paths: Collection[str] = ()) -> None:
        self._app = app
        self._limits = limits
        self._upload_paths = tuple(re.compile(path) for path in upload_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            # Without `Connection: close`: clients that are still sending would get a reset instead of this answer.
            await refusal(scope, receive, send)
            return
        if "transfer-encoding" in headers or headers.get("content-length", "0") != "0":
            receive = _Body(receive, self._limits, endless=self._is_upload(scope))
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        if len(scope["raw_path"]) + len(scope["query_string"]) > TARGET_BYTES:
            detail = f"The address is longer than {TARGET_BYTES} bytes."
            return problem_response(414, code="target_too_long", detail=detail, path=scope["path"])
        if len(headers.raw) > HEADERS or sum(len(name) + len(value) for name, value in headers.raw) > HEADER_BYTES:
            detail = f"The request has more than {HEADERS} headers, or more than {HEADER_BYTES} bytes of them."
            return problem_response(431, code="headers_too_large", detail=detail, path=scope["path"])
        announced = headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > self._limits.bytes and not self._is_upload(scope):
            detail = f"The body is larger than {self._limits.bytes} bytes."
            return problem_response(413, code="request_too_large", detail=detail, path=scope["path"])
        return None

    def _is_upload(self, scope: Scope) -> bool:
        return any(path.fullmatch(scope["path"]) for path in self._upload_paths)


class _Body:
    """A ``receive`` that is bounded until the body is complete, and then is the server's own.

    What it raises are HTTPExceptions: FastAPI makes a 400 of anything else that is raised while it reads a body.
    """

    __slots__ = ("_complete", "_deadline", "_endless", "_limits", "_receive", "_size")

    def __init__(self, receive: Receive, limits: BodyLimits, *, endless: bool) -> None:
        self._receive = receive
        self._limits = limits
        self._endless = endless
        self._deadline = asyncio.get_running_loop().time() + limits.total_seconds
        self._size = 0
        self._complete = False

    async def __call__(self) -> Message:
        """Return the next message.

        Raises:
            HTTPException: 413 over the limit, 408 where nothing came for too long.
        """
        if self._complete:
            return await self._receive()
        pause = asyncio.get_running_loop().time() + self._limits.idle_seconds
        try:
            async with asyncio.timeout_at(pause if self._endless else min(pause, self._deadline)):
                message = await self._receive()
        except TimeoutError:
            self._complete = True
            # There is nothing left to read that could be reset, and no reason to wait for more.
            raise HTTPException(408, headers={"Connection": "close"}) from None
        self._size += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        if self._size > self._limits.bytes and not self._endless:
            self._complete = True
            raise HTTPException(413)
        return message
