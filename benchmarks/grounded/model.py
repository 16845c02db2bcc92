"""A stand-in for Ollama with an embedding model: 5 ms for a request and half a millisecond for a text.

A vector is what words its text has, so that texts with the same words are near each other.
"""

import asyncio
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any
from zlib import crc32

import numpy as np
import orjson
import uvloop

from backend.ports.embedder import Vectors
from benchmarks.streams.model import JSON_HEAD, OTHERS, Model

EMBEDDING = "nomic-embed-text"
DIMENSIONS = 768
REQUEST_SECONDS = 0.005
TEXT_SECONDS = 0.0005
LISTED = {"name": EMBEDDING, "model": EMBEDDING, "size": 1, "digest": "1" * 64, "details": {"family": "nomic-bert"}}


@cache
def place(word: str) -> int:
    """Return the dimension of a word."""
    return crc32(word.encode()) % DIMENSIONS


def embed(texts: Sequence[str]) -> Vectors:
    """Return a vector for each text, without the length of one: the other side has to see to that."""
    vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
    for row, text in zip(vectors, texts, strict=True):
        words = text.rpartition(": ")[2].split()
        np.add.at(row, [place(word) for word in words], 1.0)
        row[:] = np.sqrt(row)  # What is said often says little.
    return vectors + np.float32(1e-3)


class EmbeddingModel(Model):
    """One connection, which may embed as well."""

    def _answer(self, path: bytes, body: bytes) -> None:
        if path != b"/api/embed":
            super()._answer(path, body)
            return
        texts = orjson.loads(body)["input"]
        answer = orjson.dumps({"model": EMBEDDING, "embeddings": embed(texts)}, option=orjson.OPT_SERIALIZE_NUMPY)
        self._loop.call_later(REQUEST_SECONDS + TEXT_SECONDS * len(texts), self._transport.write, JSON_HEAD % len(answer) + answer)


async def main(tokens: int) -> None:
    EmbeddingModel.tokens = tokens
    tags: Any = OTHERS[b"/api/tags"]
    tags["models"].append(LISTED)
    server = await asyncio.get_running_loop().create_server(EmbeddingModel, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    # It ends with the process that reads its port.
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
