"""What embedding models are known to want, and whether their answers are vectors."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from backend.core.errors import EmbedderUnavailableError, EmbeddingRefusedError
from backend.ports.embedder import Vectors


@dataclass(frozen=True, slots=True)
class Traits:
    """What has to be known of a model. Sources: the models' cards, and ``ollama show``.

    ``max_characters`` is below the window in tokens, less the prefix: no tokenizer of these makes more than one token of a
    character, but for decomposed scripts, whose texts are refused and not truncated if they are that long. OpenAI's makes up to
    four, of 8,191.
    """

    document_prefix: str = ""
    query_prefix: str = ""
    max_characters: int = 480
    # The card's own examples put related texts above this; nomic's vectors share a direction, so that unrelated texts are at 0.4.
    relevance_threshold: float = 0.5


_SENTENCE_PREFIX: Final = "Represent this sentence for searching relevant passages: "
_KNOWN: Final = {
    "nomic-embed-text": Traits("search_document: ", "search_query: ", max_characters=2000),
    "mxbai-embed-large": Traits(query_prefix=_SENTENCE_PREFIX, max_characters=480),
    "all-minilm": Traits(max_characters=240, relevance_threshold=0.3),
    "bge-m3": Traits(max_characters=8000),
    "text-embedding-3-small": Traits(max_characters=2000, relevance_threshold=0.3),
    "text-embedding-3-large": Traits(max_characters=2000, relevance_threshold=0.3),
    "text-embedding-ada-002": Traits(max_characters=2000, relevance_threshold=0.75),
}


def traits_of(model: str) -> Traits:
    """Return what is known of a model, whoever serves it; a cautious guess of one that is not known."""
    name = model.rpartition("/")[2].partition(":")[0].lower()
    return _KNOWN.get(name) or _KNOWN.get(name.removesuffix("-v1.5").removesuffix("-v1")) or Traits()


def unit_vectors(rows: object, expected: int, *, model: str) -> Vectors:
    """Return the rows as unit vectors, if they are what was asked for.

    Raises:
        EmbedderUnavailableError: They are no vectors, or not one for each text.
        EmbeddingRefusedError: One of them has no direction.
    """
    # What does not fit into a float32 becomes infinite, and is refused below.
    with np.errstate(over="ignore"):
        try:
            vectors: Vectors = np.asarray(rows, dtype=np.float32)
        except (TypeError, ValueError) as error:
            raise EmbedderUnavailableError(f"The embedding model {model} answered something that is no vector.") from error
        if vectors.ndim != 2 or vectors.shape[0] != expected or vectors.shape[1] == 0:
            raise EmbedderUnavailableError(f"The embedding model {model} did not answer with one vector for each text.")
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or not lengths.all():
        raise EmbeddingRefusedError(f"The embedding model {model} found no vector for a part of the text.")
    unit: Vectors = vectors / lengths
    return unit
