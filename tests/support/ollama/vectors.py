"""Embeddings without a model: hashed words and character trigrams, near each other where texts share them."""

import math
import re
import zlib

_PREFIXES = ("search_document: ", "search_query: ", "Represent this sentence for searching relevant passages: ")
# Real models point all their vectors into one direction, nomic's so far that unrelated texts have a cosine of about 0.4.
_ALIKE = 0.4


def embedding(text: str, dimensions: int) -> list[float]:
    """Return a vector of length 1, always the same for a text. Unrelated texts have a cosine of about 0.4."""
    for prefix in _PREFIXES:
        text = text.removeprefix(prefix)
    own = [0.0] * (dimensions - 1)
    for word in re.findall(r"\w+", text.casefold()):
        # Short words are mostly grammar.
        weight = 1.0 if len(word) > 3 else 0.2
        _add(own, word, weight)
        padded = f"^{word}$"
        for at in range(len(padded) - 2):
            _add(own, padded[at : at + 3], 0.4 * weight)
    length = math.sqrt(sum(x * x for x in own))
    if length == 0:
        return [1.0, *own]
    scale = math.sqrt(1 - _ALIKE) / length
    return [math.sqrt(_ALIKE)] + [x * scale for x in own]


def _add(vector: list[float], feature: str, weight: float) -> None:
    code = zlib.crc32(feature.encode())
    vector[(code >> 1) % len(vector)] += weight if code & 1 else -weight
