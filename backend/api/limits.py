"""How much a request may hold. Pure ASGI, like all middleware here."""

from collections.abc import Collection

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 1 << 20
"""More than the longest question in JSON's longest spelling (32,000 characters of 12 bytes each)."""


class BodyLimit:
    """Refuses bodies over ``MAX_BODY_BYTES`` with a 413 while they arrive; FastAPI would collect any amount in memory.

    ``streamed`` are the paths whose routes read and count their body themselves.
    """

    def __init__(self, app: ASGIApp, *, streamed: Collection[str]) -> None:
        self._app = app
        self._streamed = frozenset(streamed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection of the server."""
        if scope["type"] != "http" or scope["path"] in self._streamed:
            await self._app(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            """Raise where the route reads its body, so that the answer is a problem like any other."""
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                raise HTTPException(413)
            return message

        await self._app(scope, counted, send)
