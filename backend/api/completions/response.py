"""How a completion gets to its client."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from backend.api.completions.encoding import CompletionEncoder, broken
from backend.api.completions.saying import Grounded, Plain, Saying
from backend.api.sse import HEARTBEAT_SECONDS, Stream, until_gone
from backend.core.errors import DocentError
from backend.services.answering.turn import Turn
from backend.services.generating.reply import Reply


class CompletionStream(Stream):
    """Streams a completion. It ends with the generation, also where the client has left: so it counts as long as it runs."""

    def __init__(self, saying: Saying, *, include_usage: bool, heartbeat_seconds: float = HEARTBEAT_SECONDS) -> None:
        super().__init__(saying, heartbeat_seconds=heartbeat_seconds)
        self._saying = saying
        self._encoder = CompletionEncoder(include_usage=include_usage)
        self._over = False

    async def portion(self) -> bytes:
        """See ``Stream.portion``."""
        if self._over:
            return b""
        if said := await self._saying.take():
            return self._encoder.said(said, self._saying.model)
        self._over = True
        try:
            return self._encoder.end(await self._saying.ending())
        except DocentError as error:
            return broken(error)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ``Stream.__call__``."""
        await super().__call__(scope, receive, send)
        await self._saying.settled()


async def respond(begun: Reply | Turn, request: Request, *, streamed: bool, include_usage: bool) -> Response:
    """Return the response that carries a completion: as chunks, or as JSON once it is complete.

    Raises:
        DocentError: It failed; in chunks, only if that was before the first piece.
    """
    saying: Saying = Grounded(begun) if isinstance(begun, Turn) else Plain(begun, streamed=streamed)
    if streamed:
        return CompletionStream(saying, include_usage=include_usage)
    try:
        ending = await until_gone(saying.ending(), request.receive)
    finally:
        saying.leave()
        await saying.settled()
    if ending is None:
        return Response(status_code=499)  # Nobody reads it.
    return Response(CompletionEncoder().whole(ending), media_type="application/json")
