"""Replies without a conversation, as they are sent: as events, or whole."""

from collections.abc import Awaitable, Callable, Sequence

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from backend.api.encoding import encoded_event
from backend.api.sse import Stream, until_gone
from backend.ports.chat_model import Piece
from backend.services.generating.reply import Generated, Reply

Summary = Callable[[Generated], BaseModel]


class ReplyEncoder:
    """Encodes a reply: ``delta`` and ``thinking`` as it is written, then ``done`` with all but the text, or ``error``.

    With ``clean`` the text comes as one delta at the end, made of all of it. Pieces that have piled up become one event.
    """

    def __init__(self, summary: Summary, *, without: str, clean: Callable[[str], str] | None = None) -> None:
        self._summary = summary
        self._left_out = {without, "thinking"}
        self._clean = clean
        self._number = 0

    def encode(self, pieces: Sequence[Piece]) -> bytes:
        """Return the next pieces as they are sent; nothing where they say nothing yet."""
        thinking = self._said(b"thinking", "".join(piece.thinking for piece in pieces))
        text = "" if self._clean else "".join(piece.text for piece in pieces)
        return thinking + self._said(b"delta", text)

    def end(self, generated: Generated) -> bytes:
        """Return the last events."""
        rest = self._said(b"delta", self._clean(generated.text)) if self._clean else b""
        if generated.error is not None:
            told: object = {"code": generated.error.code, "message": generated.error.message}
            return rest + encoded_event(b"error", self._number + 1, told)
        summary = self._summary(generated).model_dump(mode="json", exclude=self._left_out)
        return rest + encoded_event(b"done", self._number + 1, summary)

    def _said(self, name: bytes, text: str) -> bytes:
        self._number += len(text)
        return encoded_event(name, self._number, {"text": text}) if text else b""


class ReplyStream(Stream):
    """Streams a reply. It ends with it, also where the reader has left: so it counts as long as it runs."""

    def __init__(self, reply: Reply, encoder: ReplyEncoder) -> None:
        super().__init__(reply)
        self._reply = reply
        self._encoder = encoder
        self._ended = False

    async def portion(self) -> bytes:
        """See ``Stream.portion``."""
        while not self._ended:
            pieces = await self._reply.take()
            self._ended = not pieces
            portion = self._encoder.encode(pieces) if pieces else self._encoder.end(await self._reply.generated())
            if portion:
                return portion
        return b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ``Stream.__call__``."""
        await super().__call__(scope, receive, send)
        await self._reply.settled()


async def whole(request: Request, reply: Reply, out: Summary) -> Response:
    """Return the response that carries a reply once it is complete. A client that leaves frees the model.

    Raises:
        DocentError: It failed, or was cut.
    """

    async def written() -> BaseModel:
        try:
            return out(await reply.whole())
        finally:
            reply.leave()

    return await while_there(request, written())


async def while_there(request: Request, work: Awaitable[BaseModel]) -> Response:
    """Return what work has made, as JSON. It is cancelled if the client leaves."""
    made = await until_gone(work, request.receive)
    if made is None:
        return Response(status_code=499)  # Nobody reads it.
    return Response(made.model_dump_json(), media_type="application/json")
