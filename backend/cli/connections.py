"""Bounds for what reaches the server before a request is complete: uvicorn has none for time, and httptools none for size.

An idle connection between two requests is bounded by uvicorn (``timeout_keep_alive``), a body while it is read by
``backend.api.guard``. This is for the rest: connections that say nothing, headers that come drop by drop or never end, bodies that
go on after they were answered, and clients that do not read what they are sent.
"""

import asyncio
import sys
from contextlib import suppress

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

UNREAD_BYTES = 65_536
"""What may come of headers, trailers and the frames of chunks before it amounts to something."""


def bounded(header_seconds: float, read_idle_seconds: float = 60.0) -> type[asyncio.Protocol]:
    """Return the class for uvicorn's setting ``http``: httptools, the faster of its parsers, within these bounds."""
    bounds = {"header_seconds": header_seconds, "read_idle_seconds": read_idle_seconds}
    return type("BoundedProtocol", (BoundedHttpToolsProtocol,), bounds)


class UnreadClock:
    """Breaks a connection whose client takes nothing in so many seconds of what waits for it, as if that client had left.

    It runs while so much waits that the answer does not go on. A client that is slow is not cut.
    """

    def __init__(self, transport: asyncio.Transport, seconds: float) -> None:
        self._transport = transport
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None
        self._waiting = 0

    def start(self) -> None:
        """Begin to look."""
        self._waiting = _waiting(self._transport)
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._look)

    def stop(self) -> None:
        """Look no more."""
        _stop(self._timer)

    def _look(self) -> None:
        if _waiting(self._transport) < self._waiting:
            self.start()
        else:
            self._transport.abort()


def _waiting(transport: asyncio.Transport) -> int:
    """Return how many bytes wait for the client, here and in the kernel, which asks for more only when it has room for a lot."""
    waiting = transport.get_write_buffer_size()
    if sys.platform != "win32":
        from fcntl import ioctl  # noqa: PLC0415 - not there on every platform
        from termios import TIOCOUTQ  # noqa: PLC0415 - the same

        with suppress(OSError):  # Not every kernel tells it of a socket.
            waiting += int.from_bytes(ioctl(transport.get_extra_info("socket").fileno(), TIOCOUTQ, bytes(4)), sys.byteorder)
    return waiting


class _Bounded(asyncio.Protocol):
    """What both of uvicorn's protocols need around them. It goes before them among the bases."""

    header_seconds = 20.0
    read_idle_seconds = 60.0
    loop: asyncio.AbstractEventLoop
    _clock: UnreadClock
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Wait for a request, but not for ever."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(self.header_seconds, transport.close)
        self._clock = UnreadClock(transport, self.read_idle_seconds)

    def pause_writing(self) -> None:
        """Wait until the client has read, but not for ever."""
        super().pause_writing()
        self._clock.start()

    def resume_writing(self) -> None:
        """Go on."""
        self._clock.stop()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        _stop(self._deadline)
        self._clock.stop()
        super().connection_lost(exc)


class BoundedH11Protocol(_Bounded, H11Protocol):
    """h11 bounds the sizes itself (``h11_max_incomplete_event_size``); here is the time."""

    def data_received(self, data: bytes) -> None:
        """Feed the parser; the clock stands still while a request is being answered."""
        super().data_received(data)
        self._deadline = _after_data(self, self._deadline, self.header_seconds)


class BoundedHttpToolsProtocol(_Bounded, HttpToolsProtocol):
    """The same for httptools, whose parser keeps as much as it is sent."""

    _unread = 0
    _head = True

    def data_received(self, data: bytes) -> None:
        """Feed the parser; the clock stands still while a request is being answered."""
        self._unread += len(data)
        super().data_received(data)
        if self._unread > UNREAD_BYTES and not self.transport.is_closing():
            self.logger.warning("Headers without an end.")
            self.transport.abort()
        self._deadline = _after_data(self, self._deadline, self.header_seconds)

    def on_message_begin(self) -> None:
        """Begin to read a request."""
        self._head = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header. Trailers are dropped: uvicorn would add them to the headers of a request that is being answered."""
        if self._head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to answer a request."""
        self._unread, self._head = 0, False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        self._unread = 0
        super().on_body(body)


def _after_data(
    protocol: H11Protocol | HttpToolsProtocol, deadline: asyncio.TimerHandle | None, seconds: float
) -> asyncio.TimerHandle | None:
    answering = protocol.cycle is not None and not protocol.cycle.response_complete
    if answering or protocol.transport.is_closing():
        _stop(deadline)
        return None
    return deadline or protocol.loop.call_later(seconds, protocol.transport.close)


def _stop(deadline: asyncio.TimerHandle | None) -> None:
    if deadline is not None:
        deadline.cancel()
