"""How one sees from outside that a process is at work."""

import asyncio
from asyncio.subprocess import DEVNULL

from backend.adapters.servers.private_files import LOOPBACK
from deploy.scaled.members import Answers

_PATIENCE_SECONDS = 5.0


def says(sentence: str) -> Answers:
    """It works once it has said this."""

    async def answers(said: str) -> bool:
        return sentence in said

    return answers


def serves(port: int, path: str) -> Answers:
    """It works once it answers a request for this path with 200."""
    request = f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}:{port}\r\nConnection: close\r\n\r\n"

    async def answers(_said: str) -> bool:
        return b" 200 " in await _first_line(port, request.encode())

    return answers


def pongs(port: int) -> Answers:
    """It works once it answers a PING as Redis does."""

    async def answers(_said: str) -> bool:
        return await _first_line(port, b"PING\r\n") == b"+PONG\r\n"

    return answers


def succeeds(*command: str) -> Answers:
    """It works once this command says so."""

    async def answers(_said: str) -> bool:
        process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL)
        return await process.wait() == 0

    return answers


async def _first_line(port: int, request: bytes) -> bytes:
    """Return the first line of an answer, or nothing where there is none."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            try:
                writer.write(request)
                return await reader.readline()
            finally:
                writer.close()
    except OSError:  # TimeoutError is one.
        return b""
