"""Reading an upload while it arrives: nothing is spooled, memory stays bounded, and a wrong body stops where it is wrong."""

import re
import unicodedata
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import aclosing
from dataclasses import dataclass

from python_multipart.multipart import parse_options_header
from starlette.requests import Request

from backend.api.uploads.disposition import Disposition, file_name, read_disposition
from backend.api.uploads.files import MOST_FILES, Files
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
    _assert_announced(request, max_bytes + ENVELOPE_BYTES)
    events = _events(request, Framing(_boundary(request)), _Bound(max_bytes + ENVELOPE_BYTES))
    part, title = await _first_file(events, ("file",))
    return Upload(filename=file_name(part.filename or ""), title=title, pieces=_pieces(events, max_bytes))


async def incoming(request: Request, *, max_bytes: int) -> Upload | Files:
    """Read a request up to its first file: the only one, as ``incoming_file`` does, or the first of 1 to 20 in fields ``files``.

    Fields ``files`` stand alone. ``max_bytes`` bounds each of them, and twenty times that the body.

    Raises:
        UploadInvalidError, DocumentTooLargeError, ClientDisconnect: As ``incoming_file``.
    """
    _assert_announced(request, MOST_FILES * max_bytes + ENVELOPE_BYTES)
    bound = _Bound(max_bytes + ENVELOPE_BYTES)
    events = _events(request, Framing(_boundary(request)), bound)
    part, title = await _first_file(events, ("file", "files"))
    if part.name == "file":
        _assert_announced(request, bound.bytes)
        return Upload(filename=file_name(part.filename or ""), title=title, pieces=_pieces(events, max_bytes))
    if title is not None:
        raise UploadInvalidError("A title is given to one file, in the field `file`, and not to `files`.")
    bound.bytes = MOST_FILES * max_bytes + ENVELOPE_BYTES
    return Files(events, part, max_bytes=max_bytes)


async def _first_file(events: AsyncGenerator[Event, None], names: Collection[str]) -> tuple[Disposition, str | None]:
    """Read on to the first file in a field of these names, and return it with the title that stands before it."""
    title: str | None = None
    while isinstance(event := await anext(events, None), PartStart):
        part = read_disposition(event.headers)
        if part.name in names:
            if part.filename is None:
                raise UploadInvalidError(f"The field `{part.name}` has no file name: send it as a file, not as text.")
            return part, title
        if part.name != "title" or part.filename is not None or title is not None:
            raise UploadInvalidError
        title = _title(await _field(events))
    raise UploadInvalidError("There is no file in this request: send one in the multipart field `file`.")


@dataclass(slots=True)
class _Bound:
    """How many bytes a body may have, as far as it has been understood."""

    bytes: int


def _assert_announced(request: Request, limit: int) -> None:
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise DocumentTooLargeError


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data":
        raise UploadInvalidError("Send the file as multipart/form-data.")
    boundary = options.get(b"boundary", b"")
    if not _BOUNDARY.fullmatch(boundary):
        raise UploadInvalidError("The Content-Type header names no valid multipart boundary.")
    return boundary


async def _events(request: Request, framing: Framing, bound: _Bound) -> AsyncGenerator[Event, None]:
    """Yield what the body holds. The bound also ends a body that goes on and on without saying anything."""
    received = 0
    async for chunk in request.stream():
        for event in framing.feed(chunk):
            yield event
        received += len(chunk)
        if received > bound.bytes:
            raise DocumentTooLargeError
    if not framing.complete:
        raise UploadInvalidError("The upload ended before it was complete.")


async def _pieces(events: AsyncGenerator[Event, None], max_bytes: int) -> AsyncIterator[bytes]:
    """Yield the bytes of the file, and read on to the end of the body."""
    size = 0
    async with aclosing(events):
        async for event in events:
            if isinstance(event, PartStart):
                again = read_disposition(event.headers).name in ("file", "files")
                sentence = "Send one field `file`, or several `files`." if again else "Send the other fields before the file."
                raise UploadInvalidError(sentence)
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
