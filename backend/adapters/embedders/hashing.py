"""An embedder without a model: hashed words and character n-grams."""

import asyncio
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from backend.core.transactions import assert_no_transaction
from backend.core.words import STOP_WORDS, words
from backend.ports.embedder import Vector, Vectors

_DIMENSIONS: Final = 512
_GRAMS: Final = (3, 4, 5)
_PRIME: Final = np.uint64(0x9E3779B97F4A7C15)
_LONGEST_WORD: Final = 64
_GRAM_WEIGHT: Final = 0.5
_SLICE: Final = 64

_Hashes = NDArray[np.uint64]
_POWERS: Final = np.cumprod(np.full(_LONGEST_WORD, _PRIME, dtype=np.uint64), dtype=np.uint64)


class HashingEmbedder:
    """Hashes words and their character 3- to 5-grams, with signs, into 512 dimensions; a feature counts 1 + log of its frequency.

    A stand-in that keeps the vector path working on a machine without a model: it is a worse BM25, so the lexical leg carries the
    quality. The same text gives the same vector in every process and on every machine, alone or in a batch. A text without words
    gives a unit vector as well. Nothing is fetched, and no text is refused.
    """

    identity = "hashing/v1-512"
    max_characters = 100_000
    batch_size = 256
    # As a worse BM25 it decides only between passages that are as good by their words, and where no word is found: any more weight
    # loses questions. ``python -m benchmarks.retrieval --sweep`` chose both numbers, see docs/benchmarks.md.
    dense_weight = 0.0
    relevance_threshold = 0.28

    async def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """See ``Embedder.embed_documents``."""
        assert_no_transaction("embedding")
        return await asyncio.to_thread(_embed, texts)

    async def embed_query(self, text: str) -> Vector:
        """See ``Embedder.embed_query``."""
        assert_no_transaction("embedding")
        vector: Vector = _embed([text])[0]
        return vector

    async def dimensions(self) -> int:
        """See ``Embedder.dimensions``."""
        return _DIMENSIONS

    async def aclose(self) -> None:
        """See ``Embedder.aclose``."""


def _embed(texts: Sequence[str]) -> Vectors:
    """Embed in slices, so that memory stays bounded and other threads get their turn."""
    vectors = np.empty((len(texts), _DIMENSIONS), dtype=np.float32)
    for start in range(0, len(texts), _SLICE):
        vectors[start : start + _SLICE] = _embed_slice(texts[start : start + _SLICE])
    return vectors


def _embed_slice(texts: Sequence[str]) -> Vectors:
    # One array of code points for all texts, every word between blanks, so that a gram knows where its word begins and ends.
    lines = [" " + " ".join(word for word in words(text) if word not in STOP_WORDS) + " " for text in texts]
    codes = np.frombuffer("".join(lines).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    owners = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    totals = np.zeros(len(lines) * _DIMENSIONS)
    for hashes, positions, weight in [(*_words(codes), 1.0), *((*_grams(codes, size), _GRAM_WEIGHT) for size in _GRAMS)]:
        totals += weight * _folded(hashes, owners[positions], len(lines))
    matrix = totals.reshape(len(lines), _DIMENSIONS)
    lengths = np.linalg.norm(matrix, axis=1)
    # No words, or features that cancelled out: a fixed direction of length 1.
    matrix[lengths < 1e-9, 0] = 1.0
    lengths[lengths < 1e-9] = 1.0
    vectors: Vectors = (matrix / lengths[:, None]).astype(np.float32)
    return vectors


def _words(codes: NDArray[np.uint32]) -> tuple[_Hashes, NDArray[np.int64]]:
    """Return a hash for every word, and where it begins. A word counts by its first 64 characters."""
    letter = codes != 32
    starts = np.flatnonzero(letter[1:] & ~letter[:-1]) + 1
    if not starts.size:
        return np.empty(0, dtype=np.uint64), starts
    positions = np.arange(codes.size)
    begin = np.zeros(codes.size, dtype=np.int64)
    begin[starts] = starts
    within = positions - np.maximum.accumulate(begin)
    terms = np.where(letter & (within < _LONGEST_WORD), codes.astype(np.uint64) * _POWERS[np.minimum(within, _LONGEST_WORD - 1)], 0)
    return _mixed(np.add.reduceat(terms, starts)), starts


def _grams(codes: NDArray[np.uint32], size: int) -> tuple[_Hashes, NDArray[np.int64]]:
    """Return a hash for every n-gram that is inside a word, counting one blank on either side, and where it begins."""
    count = codes.size - size + 1
    if count <= 0:
        return np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.int64)
    inside = np.ones(count, dtype=np.bool_)
    for offset in range(1, size - 1):
        inside &= codes[offset : offset + count] != 32
    positions = np.flatnonzero(inside)
    hashes = np.full(positions.size, size, dtype=np.uint64)
    for offset in range(size):
        hashes = hashes * _PRIME + codes[positions + offset]
    return _mixed(hashes), positions


def _mixed(hashes: _Hashes) -> _Hashes:
    """Spread the entropy over all bits (the finalizer of MurmurHash3)."""
    hashes = (hashes ^ (hashes >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    hashes = (hashes ^ (hashes >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return hashes ^ (hashes >> np.uint64(33))


def _folded(hashes: _Hashes, owners: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Return the signed sum of 1 + log(frequency) in every bucket of every text, flat."""
    keys = (owners.astype(np.uint64) << np.uint64(48)) | (hashes >> np.uint64(16))
    distinct, frequencies = np.unique(keys, return_counts=True)
    buckets = (distinct >> np.uint64(48)) * np.uint64(_DIMENSIONS) + distinct % np.uint64(_DIMENSIONS)
    signs = np.where((distinct >> np.uint64(20)) & np.uint64(1), 1.0, -1.0)
    sums = np.bincount(buckets.astype(np.int64), weights=signs * (1.0 + np.log(frequencies)), minlength=count * _DIMENSIONS)
    return sums.astype(np.float64, copy=False)
