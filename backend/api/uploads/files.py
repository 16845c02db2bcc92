"""Several files in one body: each can be accepted or refused on its own."""

from collections.abc import AsyncGenerator

from starlette.requests import ClientDisconnect

from backend.api.uploads.disposition import Disposition, file_name, read_disposition
from backend.api.uploads.framing import Event, PartEnd
from backend.core.errors import DocentError, DocumentTooLargeError, UploadInvalidError
from backend.core.values.document import Upload

MOST_FILES = 20
"""In one request."""


class Files:
    """The files of a body, in its order. What breaks the body ends them all; what is wrong with one file is its own matter."""

    def __init__(self, events: AsyncGenerator[Event, None], first: Disposition, *, max_bytes: int) -> None:
        self._events = events
        self._first = first
        self._max_bytes = max_bytes
        self._broken: DocentError | ClientDisconnect | None = None

    async def parts(self) -> AsyncGenerator["FilePart", None]:
        """Yield one file after the other. What was not read of the one before is read and thrown away.

        Raises:
            UploadInvalidError: The body is malformed, ended early, or holds something else or more than 20 files.
            DocumentTooLargeError: The body as a whole is too large.
            ClientDisconnect: The client went away (Starlette's exception, unchanged).
        """
        disposition = self._first
        for position in range(MOST_FILES):
            part = FilePart(self, position, disposition, max_bytes=self._max_bytes)
            yield part
            await part.drain()
            event = await self.next()
            if event is None:
                return
            # Between two parts there is nothing but the start of the next one.
            disposition = read_disposition(getattr(event, "headers", {}))
            if disposition.name != "files" or disposition.filename is None:
                raise UploadInvalidError("Where there are `files`, there can be nothing else: no `file`, no `title`, no text.")
        raise UploadInvalidError(f"One request holds {MOST_FILES} files at most.")

    async def next(self) -> Event | None:
        """Return what comes next; ``None`` at the end. Once the body is broken, it stays so."""
        if self._broken is not None:
            raise self._broken
        try:
            return await anext(self._events, None)
        except (DocentError, ClientDisconnect) as error:
            self._broken = error
            raise


class FilePart:
    """One of several files: an iterator over its bytes, which can be read once, and only while it is its turn."""

    def __init__(self, files: Files, position: int, disposition: Disposition, *, max_bytes: int) -> None:
        self.position = position
        self.filename: str | None = None
        """``None`` where it has no name that can be used."""
        self._files = files
        self._max_bytes = max_bytes
        self._size = 0
        self._ended = False
        self._refusal: UploadInvalidError | None = None
        try:
            self.filename = file_name(disposition.filename or "")
        except UploadInvalidError as error:
            self._refusal = error

    def upload(self) -> Upload:
        """Return it as a file that can be stored.

        Raises:
            UploadInvalidError: Its name cannot be used.
        """
        if self.filename is None:
            raise self._refusal or UploadInvalidError
        return Upload(self.filename, None, self)

    def __aiter__(self) -> "FilePart":
        """Return itself."""
        return self

    async def __anext__(self) -> bytes:
        """Return the next bytes.

        Raises:
            DocumentTooLargeError: The file is over the limit, or the whole body is.
            UploadInvalidError, ClientDisconnect: The body broke; so say ``Files.parts`` then.
        """
        piece = await self._piece()
        if piece is None:
            raise StopAsyncIteration
        self._size += len(piece)
        if self._size > self._max_bytes:
            raise DocumentTooLargeError
        return piece

    async def drain(self) -> None:
        """Read on to the end of the file."""
        while await self._piece() is not None:
            pass

    async def _piece(self) -> bytes | None:
        if self._ended:
            return None
        event = await self._files.next()
        self._ended = event is None or isinstance(event, PartEnd)
        return event if isinstance(event, bytes) else None
