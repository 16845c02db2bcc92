"""Replies that have not begun."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any

from backend.ports.chat_model import Piece
from backend.services.providers.attempts import Begun


class Opening(AsyncGenerator[Piece, None]):
    """A reply that is begun when its first piece is wanted, wherever that comes from. The rest is the provider's own stream.

    It is no generator, for that would cost each piece a resumption of its own.
    """

    __slots__ = ("_begin", "_pieces")

    def __init__(self, begin: Callable[[], Awaitable[Begun]]) -> None:
        self._begin: Callable[[], Awaitable[Begun]] | None = begin
        self._pieces: AsyncGenerator[Piece, None] | None = None

    def __anext__(self) -> Coroutine[Any, Any, Piece]:
        """Return the next piece to be awaited."""
        return self._first() if self._pieces is None else self._pieces.__anext__()

    async def _first(self) -> Piece:
        if self._begin is None:
            raise StopAsyncIteration
        begin, self._begin = self._begin, None
        self._pieces, piece = await begin()
        return piece

    def asend(self, value: None) -> Coroutine[Any, Any, Piece]:
        """See ``__anext__``: nothing is ever sent."""
        return self.__anext__()

    async def athrow(
        self, kind: type[BaseException] | BaseException, error: object = None, _trace: TracebackType | None = None, /
    ) -> Piece:
        """Close the stream and raise."""
        await self.aclose()
        raise error if isinstance(error, BaseException) else kind

    async def aclose(self) -> None:
        """Close the provider's stream, which frees its model."""
        self._begin = None
        if self._pieces is not None:
            await self._pieces.aclose()
