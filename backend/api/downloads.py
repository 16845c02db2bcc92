"""Files on their way out."""

from collections.abc import AsyncIterator
from urllib.parse import quote

from starlette.responses import StreamingResponse
from starlette.types import Send

from backend.core.values.document import Document


class Download(StreamingResponse):
    """Sends a document's file, never to be shown in place.

    The first bytes are read before the status is sent: a file that is missing from the store is a problem, not a broken download.
    """

    media_type = "application/octet-stream"

    def __init__(self, document: Document, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces
        super().__init__(
            self._from_the_first(),
            headers={
                "Content-Disposition": f"attachment; filename*=UTF-8''{quote(document.filename, safe='')}",
                "Content-Length": str(document.size),
                "Content-Security-Policy": "sandbox; default-src 'none'",
            },
        )
        self._first = b""

    async def stream_response(self, send: Send) -> None:
        """Send the file.

        Raises:
            BlobNotFoundError: It is missing, and nothing has been sent.
            BlobStoreUnavailableError: The same, for the store did not answer.
        """
        self._first = await anext(self._pieces, b"")
        await super().stream_response(send)

    async def _from_the_first(self) -> AsyncIterator[bytes]:
        yield self._first
        async for piece in self._pieces:
            yield piece
