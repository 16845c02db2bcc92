"""Answers that are not streams."""

import asyncio
from typing import Any

import orjson
from aiohttp import web

from tests.support.ollama.faults import Fault
from tests.support.ollama.streams import cut


def json_answer(value: object, status: int = 200) -> web.Response:
    """Return an answer with an object as JSON, or with bytes as they are."""
    body = value if isinstance(value, bytes) else orjson.dumps(value)
    return web.Response(body=body, status=status, content_type="application/json")


def wants_stream(request: web.Request, body: dict[str, Any]) -> bool:
    """Tell whether a request asks for a stream: Ollama's default."""
    return request.path in {"/api/chat", "/api/generate", "/api/pull"} and body.get("stream") is not False


async def strike_whole(request: web.Request, fault: Fault) -> None:
    """Let a fault happen to a request that is answered at once."""
    await asyncio.sleep(fault.interval or 0)
    if fault.hang_after is not None:
        await asyncio.Event().wait()
    if fault.cut_after is not None:
        cut(request)
