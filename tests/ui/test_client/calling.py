"""Calls that fail, and answers that come in pieces."""

import asyncio
from typing import Any

import pytest
from aiohttp import web

from tests.support.faulty_api import Answer
from ui.client import ApiError

THING = "/api/v1/thing"
EVENTS = "text/event-stream"


async def refused(call: Any, *args: Any, **kwargs: Any) -> ApiError:
    """Return the error that a call ends in."""
    with pytest.raises(ApiError) as caught:
        await asyncio.to_thread(lambda: call(*args, **kwargs))
    return caught.value


def eventually(*pieces: bytes, status: int = 200, cut: bool = False, content_type: str = EVENTS, **headers: str) -> Answer:
    """Return an answer that comes in pieces, and is cut off instead of ended if so wished."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=status, headers={"Content-Type": content_type, **headers})
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
            await asyncio.sleep(0)
        if cut and request.transport is not None:
            request.transport.abort()
        return response

    return answer
