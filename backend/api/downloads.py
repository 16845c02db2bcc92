"""Files on their way out."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import ClassVar
from urllib.parse import quote

from starlette.responses import StreamingResponse
from starlette.types import Send

from backend.core.values.document import Document
from backend.services.accounts.exporting.zipping import safe_name
from backend.services.transcripts import Form


class Download(StreamingResponse):
    """Sends a file, never to be shown in place.

    The first bytes are read before the status is sent: a file that is missing from the store is a problem, not a broken download.
    """

    media_type = "application/octet-stream"

    def __init__(self, filename: str, pieces: AsyncIterator[bytes], headers: Mapping[str, str]) -> None:
        self._pieces = pieces
        super().__init__(
            self._from_the_first(),
            headers={
                "Content-Disposition": f"attachment; filename*=UTF-8''{quote(filename, safe='')}",
                "Content-Security-Policy": "sandbox; default-src 'none'",
                **headers,
            },
        )
        self._first = b""

    @classmethod
    def of(cls, document: Document, pieces: AsyncIterator[bytes]) -> "Download":
        """Send a document's original file."""
        return cls(document.filename, pieces, {"Content-Length": str(document.size)})

    async def stream_response(self, send: Send) -> None:
        """Send the file.

        Raises:
            BlobNotFoundError: It is missing, and nothing has been sent.
            UnavailableError: The same, for what it is read from did not answer.
        """
        self._first = await anext(self._pieces, b"")
        await super().stream_response(send)

    async def _from_the_first(self) -> AsyncIterator[bytes]:
        yield self._first
        async for piece in self._pieces:
            yield piece


class ExportDownload(Download):
    """Sends a zip file that is being made. Whoever makes it stops when its reader leaves."""

    media_type = "application/zip"

    def __init__(self, filename: str, pieces: AsyncGenerator[bytes, None]) -> None:
        self._made = pieces
        super().__init__(filename, pieces, {"Cache-Control": "no-store"})

    async def stream_response(self, send: Send) -> None:
        """Send the file; see ``Download.stream_response``."""
        async with aclosing(self._made):
            await super().stream_response(send)


class TextDownload(Download):
    """Sends a text that is being made, named after its title."""

    TYPES: ClassVar[Mapping[Form, str]] = {"md": "text/markdown", "json": "application/json"}

    def __init__(self, title: str, form: Form, pieces: AsyncIterator[bytes]) -> None:
        self.media_type = self.TYPES[form]
        super().__init__(safe_name(f"{title}.{form}"), pieces, {"Cache-Control": "no-store"})
