"""Servers are asked over HTTP."""

import aiohttp

from backend.adapters.wire.failures import WIRE_FAILURES
from backend.adapters.wire.http_session import HttpSession
from backend.core.errors import ServiceUnavailableError
from backend.core.transactions import assert_no_transaction

ANSWER_SECONDS = 2.0
"""How long connecting and the status line may take together."""


class HttpProbe:
    """See ``Probe``. ``within`` is in seconds."""

    def __init__(self, *, within: float = ANSWER_SECONDS) -> None:
        self._timeout = aiohttp.ClientTimeout(total=within)
        self._http = HttpSession(connect_timeout=within, headers={"User-Agent": "docent"})

    async def check(self, url: str) -> None:
        """See ``Probe.check``."""
        assert_no_transaction("asking another service")
        try:
            response = await self._http.opened().get(url, allow_redirects=False, timeout=self._timeout)
        except (*WIRE_FAILURES, ValueError) as error:  # An address that only aiohttp finds wrong is a ValueError.
            raise ServiceUnavailableError from error
        # Not release(): that would read the body, which may be of any size.
        response.close()
        if response.status >= 500:
            raise ServiceUnavailableError(f"It answers with the status {response.status}.")

    async def aclose(self) -> None:
        """See ``Probe.aclose``."""
        await self._http.aclose()
