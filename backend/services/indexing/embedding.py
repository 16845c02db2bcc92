"""Embedding that loses nothing: what a model refuses as a whole, it may take in parts."""

from collections.abc import Sequence

import numpy as np

from backend.core.errors import EmbeddingRefusedError
from backend.core.metrics import CHUNKS
from backend.ports.embedder import Embedder, Vector
from backend.rag.similarity import to_bytes
from backend.services.indexing.stages import stage

SHORTEST_PART = 48
"""Characters. A text this short is not refused for its length."""
WILLING_AFTER = 8
"""Batches that went well, after which a smaller batch may grow again."""
ORDINARY_TEXT = "The quick brown fox jumps over the lazy dog."


class LosslessEmbedding:
    """Embeds batches of texts. One bad text never fails its batch, and the batches adapt to what the model takes at once."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._largest = max(1, embedder.batch_size)
        self._went_well = 0
        self._willing = False
        self._refused_alone = 0
        self.batch_size = self._largest
        """How many texts to pass next."""

    async def embed(self, texts: Sequence[str]) -> list[bytes | None]:
        """Return a vector for each text, as float16 bytes; ``None`` for one that the model refuses even in small parts.

        Raises:
            EmbedderUnavailableError: The model did not answer; try again later.
            EmbeddingRefusedError: The model refuses everything, so the fault is not in the texts.
        """
        with stage("embedding"):
            vectors = await self._vectors(texts)
        CHUNKS.add(len(texts))
        self._went_well += 1
        if self._went_well >= WILLING_AFTER and self.batch_size < self._largest:
            self.batch_size, self._went_well = min(self.batch_size * 2, self._largest), 0
        present = [vector for vector in vectors if vector is not None]
        packed = iter(to_bytes(np.stack(present)) if present else [])
        return [None if vector is None else next(packed) for vector in vectors]

    async def _vectors(self, texts: Sequence[str]) -> list[Vector | None]:
        if not texts:
            return []
        try:
            vectors = list(await self._embedder.embed_documents(texts))
        except EmbeddingRefusedError:
            if len(texts) == 1:
                self._refused_alone += 1
                return [await self._in_parts(texts[0])]
            middle, refused_before = len(texts) // 2, self._refused_alone
            halves = [*await self._vectors(texts[:middle]), *await self._vectors(texts[middle:])]
            if self._refused_alone == refused_before:
                # Every text is fine by itself, together they were too much.
                self.batch_size, self._went_well = min(self.batch_size, max(1, middle)), 0
            return halves
        self._willing = True
        return [*vectors]

    async def _in_parts(self, text: str) -> Vector | None:
        """Embed a refused text by its halves, and theirs, as the mean weighted by length: every part counts, the last one too."""
        if len(text) <= SHORTEST_PART:
            await self._assert_willing()
            return None
        middle = _middle(text)
        parts = [part for part in (text[:middle], text[middle:]) if part.strip()]
        total = np.zeros(0, dtype=np.float32)
        for part in parts:
            [vector] = await self._vectors([part])
            if vector is None:
                return None
            total = vector * len(part) + (total if total.size else 0)
        length = float(np.linalg.norm(total)) if total.size else 0.0
        return total / length if length > 0 else None

    async def _assert_willing(self) -> None:
        """Tell a bad text from a model that takes none."""
        if not self._willing:
            await self._embedder.embed_documents([ORDINARY_TEXT])
            self._willing = True


def _middle(text: str) -> int:
    """Return where to cut: at the space that is nearest to the middle, or in the middle of a long word."""
    middle = len(text) // 2
    before, after = text.rfind(" ", 0, middle), text.find(" ", middle)
    near = min((cut for cut in (before, after) if cut > 0), key=lambda cut: abs(cut - middle), default=middle)
    return near if abs(near - middle) < len(text) // 4 else middle
