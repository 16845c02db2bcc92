"""The frame of a multipart body: parts, their headers and their bytes, told in the order of the body."""

from collections.abc import Iterator
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from backend.core.errors import UploadInvalidError

_HEADER_BYTES = 8192
_HEADERS = 16


@dataclass(frozen=True, slots=True)
class PartStart:
    """A part begins. ``headers`` have their names in lower case."""

    headers: dict[bytes, bytes]


@dataclass(frozen=True, slots=True)
class PartEnd:
    """The part is complete."""


Event = PartStart | bytes | PartEnd


class Framing:
    """Reads one body, fed as it arrives; how it is cut into chunks does not matter."""

    def __init__(self, boundary: bytes) -> None:
        self.complete = False
        """Whether the closing boundary was read."""
        self._begun = False
        self._events: list[Event] = []
        self._name = self._value = b""
        self._headers: dict[bytes, bytes] = {}
        self._header_bytes = 0
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
            max_header_count=_HEADERS,
            max_header_size=_HEADER_BYTES,
        )

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """Yield what the chunk completes. Memory is bounded by the chunk and 8 KiB of headers.

        Raises:
            UploadInvalidError: The body breaks the rules of multipart, after everything that came before the break was yielded.
        """
        if not self._begun:
            # The parser skips line breaks here, and then junk as well, but only if both are in one chunk.
            chunk = chunk.lstrip(b"\r\n")
            self._begun = bool(chunk)
        broken: UploadInvalidError | None = None
        try:
            self._parser.write(chunk)
        except FormParserError:
            broken = UploadInvalidError("The multipart body is malformed or its headers are too long.")
        except UploadInvalidError as error:
            broken = error
        events, self._events = self._events, []
        yield from events
        if broken is not None:
            raise broken

    def _on_part_begin(self) -> None:
        self._headers, self._header_bytes = {}, 0

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        name = self._name.lower()
        if name in self._headers:
            raise UploadInvalidError("A part of the multipart body has a header twice.")
        self._headers[name] = self._value.strip(b" \t")
        self._name = self._value = b""

    def _on_headers_finished(self) -> None:
        self._events.append(PartStart(self._headers))

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._events.append(data[start:end])

    def _on_part_end(self) -> None:
        self._events.append(PartEnd())

    def _on_end(self) -> None:
        self.complete = True

    def _count(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > _HEADER_BYTES:
            raise UploadInvalidError("The multipart body is malformed or its headers are too long.")
