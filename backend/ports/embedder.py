"""Embedding models."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
"""float32, one row a text, every row of length 1."""

Vector = NDArray[np.float32]
"""float32, one dimension, length 1."""


class Embedder(Protocol):
    """Turns texts into vectors whose dot product is their similarity."""

    identity: str
    """What made a vector, such as ``ollama/nomic-embed-text``: vectors of different identities are never compared."""

    max_characters: int
    """A text of at most this many characters is embedded whole."""

    batch_size: int
    """How many texts to pass at once for the best throughput."""

    dense_weight: float
    """How much the dense leg counts in the fusion, 0 to 1; the lexical leg gets the rest."""

    relevance_threshold: float
    """The cosine from which a passage counts as relevant for this embedder."""

    async def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Embed passages. Row i belongs to text i; an empty sequence gives an array of shape (0, dimensions or 0).

        Raises:
            EmbedderUnavailableError: The model did not answer; try again later.
            EmbeddingRefusedError: One of the texts was refused; none was truncated.
        """
        ...

    async def embed_query(self, text: str) -> Vector:
        """Embed a question, with the prefix that the model wants for questions. Errors as ``embed_documents``."""
        ...

    async def dimensions(self) -> int:
        """Return the length of its vectors. Errors as ``embed_documents``."""
        ...

    async def aclose(self) -> None:
        """Close connections; afterwards the object is not used again."""
        ...
