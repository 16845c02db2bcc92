"""Reading an upload while it arrives: nothing is spooled, memory stays bounded, and a wrong body stops where it is wrong."""

import re
import unicodedata
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from python_multipart.multipart import parse_options_header
from starlette.requests import Request

from backend.api.uploads.disposition import file_name, read_disposition
from backend.api.uploads.framing import Event, Framing, PartEnd, PartStart
from backend.core.errors import DocumentTooLargeError, UploadInvalidError
from backend.core.values.document import Upload

ENVELOPE_BYTES = 64 << 10
_FIELD_BYTES = 8192
_LONGEST_TITLE = 300
_BOUNDARY = re.compile(rb"[\x20-\x7e]{0,69}[\x21-\x7e]")  # RFC 2046: at most 70 characters, no space at the end


async def incoming_file(request: Request, *, max_bytes: int) -> Upload:
    """Read a ``multipart/form-data`` request up to its file, and return the file with its bytes still to come.

    The body holds one file in the field ``file`` and, before it, optionally the text field ``title`` (1 to 300 characters after
    stripping); nothing else, and nothing after the file. ``pieces`` raises what this function raises, in the middle, so whoever
    stores them must keep nothing then; it ends without an error only if the whole body arrived. An empty file is not refused here.

    Raises:
        UploadInvalidError: The body is not that, is malformed, or ended early.
        DocumentTooLargeError: The file has more than ``max_bytes``, or the request announces or carries far more than that.
        ClientDisconnect: The client went away (Starlette's exception, unchanged).
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > max_bytes + ENVELOPE_BYTES:
        raise DocumentTooLargeError
    events = _events(request, Framing(_boundary(request)), max_bytes + ENVELOPE_BYTES)
    title: str | None = None
    while isinstance(event := await anext(events, None), PartStart):
        part = read_disposition(event.headers)
        if part.name == "file":
            if part.filename is None:
                raise UploadInvalidError("The field `file` has no file name: send it as a file, not as text.")
            return Upload(filename=file_name(part.filename), title=title, pieces=_pieces(events, max_bytes))
        if part.name != "title" or part.filename is not None or title is not None:
            raise UploadInvalidError
        title = _title(await _field(events))
    raise UploadInvalidError("There is no file in this request: send one in the multipart field `file`.")


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data":
        raise UploadInvalidError("Send the file as multipart/form-data.")
    boundary = options.get(b"boundary", b"")
    if not _BOUNDARY.fullmatch(boundary):
        raise UploadInvalidError("The Content-Type header names no valid multipart boundary.")
    return boundary


async def _events(request: Request, framing: Framing, limit: int) -> AsyncGenerator[Event, None]:
    """Yield what the body holds. ``limit`` also ends a body that goes on and on without saying anything."""
    received = 0
    async for chunk in request.stream():
        for event in framing.feed(chunk):
            yield event
        received += len(chunk)
        if received > limit:
            raise DocumentTooLargeError
    if not framing.complete:
        raise UploadInvalidError("The upload ended before it was complete.")


async def _pieces(events: AsyncGenerator[Event, None], max_bytes: int) -> AsyncIterator[bytes]:
    """Yield the bytes of the file, and read on to the end of the body."""
    size = 0
    async with aclosing(events):
        async for event in events:
            if isinstance(event, PartStart):
                again = read_disposition(event.headers).name == "file"
                raise UploadInvalidError("Send one file at a time." if again else "Send the other fields before the file.")
            if isinstance(event, bytes):
                size += len(event)
                if size > max_bytes:
                    raise DocumentTooLargeError
                yield event


async def _field(events: AsyncGenerator[Event, None]) -> bytes:
    held = bytearray()
    async for event in events:
        if isinstance(event, PartEnd):
            break
        if isinstance(event, bytes):
            held += event
            if len(held) > _FIELD_BYTES:
                raise UploadInvalidError("The title is too long.")
    return bytes(held)


def _title(raw: bytes) -> str:
    try:
        title = raw.decode().strip()
    except UnicodeDecodeError as error:
        raise UploadInvalidError("The title is not valid UTF-8.") from error
    if not 1 <= len(title) <= _LONGEST_TITLE:
        raise UploadInvalidError(f"The title must have 1 to {_LONGEST_TITLE} characters.")
    if any(unicodedata.category(sign) == "Cc" for sign in title):
        raise UploadInvalidError("The title must not hold control characters.")
    return title
