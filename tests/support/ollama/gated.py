"""A stand-in whose embedding model can be held, so that a document stays in the middle of its way as long as a test looks at it."""

import asyncio
from typing import Any

from aiohttp import web

from tests.support.ollama.faults import Fault
from tests.support.ollama.server import StandInOllama


class GatedOllama(StandInOllama):
    """Embeds nothing while ``gate`` is not set. It is set at the beginning."""

    def __init__(self, *, interval: float = 0.0) -> None:
        super().__init__(interval=interval)
        self.gate = asyncio.Event()
        self.gate.set()

    async def _embed(self, request: web.Request, body: dict[str, Any], fault: Fault) -> web.Response:
        await self.gate.wait()
        return await super()._embed(request, body, fault)
