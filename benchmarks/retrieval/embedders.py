"""The embedders that are compared."""

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from backend.adapters.embedders.onnx import OnnxEmbedder
from backend.ports.embedder import Embedder, Vector, Vectors


class RememberingEmbedder:
    """Another embedder, whose vectors are kept in the temporary folder from one run to the next."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.identity = embedder.identity
        self.max_characters = embedder.max_characters
        self.batch_size = embedder.batch_size
        self.dense_weight = embedder.dense_weight
        self.relevance_threshold = embedder.relevance_threshold
        self._path = Path(tempfile.gettempdir()) / f"docent-benchmark-{hashlib.sha256(self.identity.encode()).hexdigest()[:16]}.npz"
        self._known: dict[str, Vector] = {}
        if self._path.is_file():
            with np.load(self._path) as kept:
                self._known = dict(zip(kept["keys"].tolist(), kept["vectors"], strict=True))

    async def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """See ``Embedder.embed_documents``."""
        keys = [_key("document", text) for text in texts]
        missing = [at for at, key in enumerate(keys) if key not in self._known]
        if missing:
            for at, vector in zip(missing, await self._embedder.embed_documents([texts[at] for at in missing]), strict=True):
                self._known[keys[at]] = vector
        return np.stack([self._known[key] for key in keys])

    async def embed_query(self, text: str) -> Vector:
        """See ``Embedder.embed_query``."""
        key = _key("question", text)
        if key not in self._known:
            self._known[key] = await self._embedder.embed_query(text)
        return self._known[key]

    async def dimensions(self) -> int:
        """See ``Embedder.dimensions``."""
        return await self._embedder.dimensions()

    async def aclose(self) -> None:
        """Keep the vectors, and close the embedder."""
        if self._known:
            np.savez(self._path, keys=np.array(list(self._known)), vectors=np.stack(list(self._known.values())))
        await self._embedder.aclose()


async def onnx(folder: Path) -> Embedder:
    """Return the embedder of a model's folder."""
    embedder = OnnxEmbedder(folder)
    await embedder.dimensions()  # Its identity, which names the vectors that are kept, is known when it is loaded.
    return RememberingEmbedder(embedder)


def _key(kind: str, text: str) -> str:
    return hashlib.sha256(f"{kind} {text}".encode()).hexdigest()
