"""HTTP to other servers: one session per adapter."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import orjson

from backend.adapters.wire.failures import WIRE_FAILURES, WireError
from backend.core.tracing import traceparent, tracing

# Between the last that matters and the end of a response; when it takes longer the connection is given up instead of kept alive.
_END_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A whole answer: its status and its body."""

    status: int
    body: bytes

    def json(self) -> dict[str, Any]:
        """Return the body as a JSON object.

        Raises:
            WireError: It is not one.
        """
        try:
            value = orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise WireError(f"not JSON: {self.body[:200]!r}") from error
        if not isinstance(value, dict):
            raise WireError(f"not a JSON object: {self.body[:200]!r}")
        return value


class HttpSession:
    """One aiohttp session, opened at its first use because it needs the running loop.

    It takes as many connections as are asked for (aiohttp's default stops at 100, in silence), keeps them alive, and has no
    deadline but the one for connecting: a stream lasts as long as it lasts, and whoever reads it brings the deadlines.
    """

    def __init__(self, *, connect_timeout: float, headers: Mapping[str, str] | None = None) -> None:
        self._connect_timeout = connect_timeout
        # A compressing proxy in between would hold tokens back until its buffer is full.
        self._headers = {"Accept-Encoding": "identity", **(headers or {})}
        self._session: aiohttp.ClientSession | None = None

    def opened(self) -> aiohttp.ClientSession:
        """Return the session. After ``aclose`` its requests raise ``RuntimeError``."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                timeout=aiohttp.ClientTimeout(total=None, connect=self._connect_timeout),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=self._headers,
                json_serialize_bytes=orjson.dumps,
                trace_configs=[_passing_the_trace_on()] if tracing() else None,
            )
        return self._session

    async def exchange(self, method: str, url: str, body: object | None = None, *, within: float) -> HttpAnswer:
        """Send a request and read its whole answer, of any status, within so many seconds.

        Raises:
            aiohttp.ClientError, OSError: It failed or took too long; see ``WIRE_FAILURES``.
        """
        timeout = aiohttp.ClientTimeout(total=within, connect=min(within, self._connect_timeout), ceil_threshold=within + 1)
        async with self.opened().request(method, url, json=body, timeout=timeout) as response:
            return HttpAnswer(response.status, await response.read())

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


def _passing_the_trace_on() -> aiohttp.TraceConfig:
    """Let the other side's spans, if it has any, be a part of ours."""

    async def add_header(_session: object, _context: object, request: aiohttp.TraceRequestStartParams) -> None:
        if parent := traceparent():
            request.headers["traceparent"] = parent

    passing = aiohttp.TraceConfig()
    passing.on_request_start.append(add_header)
    return passing


async def let_end(response: aiohttp.ClientResponse) -> None:
    """Let a response end of which all that matters was read, so that its connection goes back to the pool."""
    with suppress(*WIRE_FAILURES):
        async with asyncio.timeout(_END_SECONDS):
            await response.content.readany()
