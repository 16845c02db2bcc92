"""A stand-in for Ollama that costs next to nothing: what a measurement takes of it is missing to the one that is measured.

Its tokens say when they were sent, in microseconds of the machine's monotonic clock, which all processes share.
"""

import asyncio
import re
import sys
from time import monotonic_ns
from typing import cast

import orjson
import uvloop

FIRST_SECONDS = 0.05
INTERVAL_SECONDS = 0.05
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
NAME = "llama3.2:1b"
SHOWN = {
    "details": {"family": "llama", "parameter_size": "1.2B"},
    "model_info": {"general.architecture": "llama", "llama.context_length": 131072},
    "capabilities": ["completion"],
}
OTHERS = {
    b"/api/version": {"version": "0.33.0"},
    b"/api/tags": {"models": [{"name": NAME, "model": NAME, "size": 1, "digest": "0" * 64, "details": SHOWN["details"]}]},
    b"/api/show": SHOWN,
    b"/api/ps": {"models": [{"name": NAME, "model": NAME, "context_length": 8192}]},
}
JSON_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(line: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(line), line)


def done(said: int) -> bytes:
    return chunk(
        b'{"model":"llama3.2:1b","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":""},"done":true,'
        b'"done_reason":"stop","prompt_eval_count":30,"eval_count":%d}\n' % said
    )


def token() -> bytes:
    return chunk(
        b'{"model":"llama3.2:1b","created_at":"2026-01-01T00:00:00Z",'
        b'"message":{"role":"assistant","content":"t%d "},"done":false}\n' % (monotonic_ns() // 1000)
    )


class Model(asyncio.Protocol):
    """One connection; a question begins a paced stream, which ends with the connection."""

    tokens = 200

    def __init__(self) -> None:
        self._unread = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._loop = asyncio.get_running_loop()

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while (end := self._unread.find(b"\r\n\r\n")) >= 0:
            head = self._unread[:end]
            length = LENGTH.search(head)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._unread) < whole:
                return
            body, self._unread = self._unread[end + 4 : whole], self._unread[whole:]
            self._answer(head.split(b" ", 2)[1], body)

    def connection_lost(self, _error: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _answer(self, path: bytes, body: bytes) -> None:
        if path == b"/api/chat":
            self._left = min(self.tokens, (orjson.loads(body).get("options") or {}).get("num_predict") or self.tokens)
            self._said = 0
            self._next = self._loop.time() + FIRST_SECONDS
            self._timer = self._loop.call_at(self._next, self._say)
            self._transport.write(HEAD)
            return
        answer = orjson.dumps(OTHERS.get(path, {}))
        self._transport.write(JSON_HEAD % len(answer) + answer)

    def _say(self) -> None:
        self._said += 1
        if self._said < self._left:
            self._transport.write(token())
            self._next += INTERVAL_SECONDS
            self._timer = self._loop.call_at(self._next, self._say)
        else:
            self._timer = None
            self._transport.write(token() + done(self._said) + b"0\r\n\r\n")


async def main(tokens: int, connection: type[Model] = Model) -> None:
    Model.tokens = tokens
    server = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    # It ends with the process that reads its port.
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
