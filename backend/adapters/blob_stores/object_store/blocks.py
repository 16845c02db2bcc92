"""Pieces of any size, joined and hashed."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator

_BLOCK = 1 << 20
_HASH_INLINE = 64 << 10


async def blocks(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Join the pieces into blocks of about a mebibyte: fewer calls, and hashing one is worth a thread."""
    held = bytearray()
    async for piece in pieces:
        held += piece
        if len(held) >= _BLOCK:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


async def update(digest: "hashlib._Hash", block: bytes) -> None:
    """Add a block to a digest; a large one in a thread."""
    if len(block) < _HASH_INLINE:
        digest.update(block)
    else:
        await asyncio.to_thread(digest.update, block)
