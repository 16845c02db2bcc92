"""A stand-in for Ollama that embeds at a steady pace, and writes paced answers as that of ``benchmarks.streams`` does.

It embeds one request after the other, as one model on one machine does: who asks twice at once gains nothing. Vectors follow from
the texts, and none is computed: what they are made of is written before the first one is asked for.
"""

import asyncio
import sys
from collections.abc import Sequence
from functools import cache
from hashlib import blake2b

import numpy as np
import orjson
import uvloop

from benchmarks.streams.model import JSON_HEAD, Model

REQUEST_SECONDS = 0.005
TEXT_SECONDS = 0.0005
DIMENSIONS = 768
"""As many as those of nomic-embed-text, which is the product's own choice."""
SEGMENTS = 16
CHOICES = 256


class EmbeddingModel(Model):
    """See ``Model``; a request to embed waits for its turn, and then takes its time."""

    request_seconds = REQUEST_SECONDS
    text_seconds = TEXT_SECONDS
    free_at = 0.0

    def _answer(self, path: bytes, body: bytes) -> None:
        if path != b"/api/embed":
            super()._answer(path, body)
            return
        given = orjson.loads(body)["input"]
        texts = [given] if isinstance(given, str) else given
        shared = type(self)
        shared.free_at = max(shared.free_at, self._loop.time()) + shared.request_seconds + shared.text_seconds * len(texts)
        self._loop.call_at(shared.free_at, self._embedded, texts)

    def _embedded(self, texts: Sequence[str]) -> None:
        if not self._transport.is_closing():
            answer = b'{"model":"nomic-embed-text","embeddings":[' + b",".join(map(vector, texts)) + b"]}"
            self._transport.write(JSON_HEAD % len(answer) + answer)


def vector(text: str) -> bytes:
    """Return the vector of a text, as JSON."""
    chosen = blake2b(text.encode(), digest_size=SEGMENTS).digest()
    return b"[" + b",".join(segments[choice] for segments, choice in zip(_segments(), chosen, strict=True)) + b"]"


@cache
def _segments() -> list[list[bytes]]:
    """Return what vectors are put together of: of each place in them, its choices."""
    numbers = np.random.default_rng(20261123).standard_normal((SEGMENTS, CHOICES, DIMENSIONS // SEGMENTS), dtype=np.float32)
    numbers /= np.float32(DIMENSIONS**0.5)
    return [[orjson.dumps(choice, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1] for choice in place] for place in numbers]


async def main(tokens: int, text_seconds: float) -> None:
    Model.tokens = tokens
    EmbeddingModel.text_seconds = text_seconds
    _segments()
    server = await asyncio.get_running_loop().create_server(EmbeddingModel, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    # It ends with the process that reads its port.
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else TEXT_SECONDS))
