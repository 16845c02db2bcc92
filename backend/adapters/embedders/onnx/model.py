"""A tokenizer and a graph in memory: texts become windows of tokens, and windows become vectors."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from backend.adapters.embedders.onnx.recipe import Recipe, graph_of
from backend.core.errors import ConfigurationError, EmbeddingRefusedError
from backend.ports.embedder import Vectors

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

_MOST_THREADS: Final = 4
_TOKENS_AT_ONCE: Final = 512
"""Of one run, padding included: small runs stay in the caches. 4,096 took a third more time of the processor."""
_KNOWN_INPUTS: Final = {"input_ids", "attention_mask", "token_type_ids", "position_ids"}
_SENTENCE_OUTPUTS: Final = ("sentence_embedding", "embedding", "embeddings")


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a text that fits the model: nearly always all of it."""

    text: int
    tokens: tuple[int, ...]


class OnnxModel:
    """A loaded model. Loading reads all of its files and takes a moment: not for the event loop.

    Raises:
        ConfigurationError: A file is missing or damaged, or the graph wants or gives what is not known here.
    """

    def __init__(self, folder: Path, recipe: Recipe) -> None:
        self._recipe = recipe
        self._tokenizer = _tokenizer(folder, recipe)
        self._session = _session(folder)
        self._inputs = {found.name: np.int32 if "int32" in found.type else np.int64 for found in self._session.get_inputs()}
        if unknown := self._inputs.keys() - _KNOWN_INPUTS:
            raise ConfigurationError(f"The embedding model {folder.name} wants inputs that are not known here: {sorted(unknown)}.")
        self._output = self._chosen_output(folder)
        self._padding = self._tokenizer.token_to_id("[PAD]") or self._tokenizer.token_to_id("<pad>") or 0
        try:
            self.dimensions = int(self.run([Window(0, tuple(self._tokenizer.encode("probe").ids))]).shape[1])
        except EmbeddingRefusedError as error:
            raise ConfigurationError(f"The embedding model {folder.name} does not embed. Export it again.") from error

    def windows(self, texts: Sequence[str]) -> list[Window]:
        """Cut texts into windows. Nothing is left out: what does not fit into the first one is in those that follow."""
        found: list[Window] = []
        for number, text in enumerate(texts):
            # One text at a time: the tokenizer's own way with batches takes all cores.
            encoding = self._tokenizer.encode(text.encode("utf-8", "replace").decode())
            found += [Window(number, tuple(part.ids)) for part in (encoding, *encoding.overflowing)]
        return found

    def run(self, windows: Sequence[Window]) -> Vectors:
        """Return a vector of length 1 for each window.

        Raises:
            EmbeddingRefusedError: The graph fails at one of them.
        """
        from onnxruntime.capi import onnxruntime_pybind11_state as failures  # noqa: PLC0415 - 0.2 s, and only where it is used

        ids, mask = self._padded(windows)
        given = {
            "input_ids": ids,
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(ids),
            "position_ids": np.broadcast_to(np.arange(ids.shape[1]), ids.shape),
        }
        fed = {name: np.ascontiguousarray(given[name], dtype=kind) for name, kind in self._inputs.items()}
        try:
            [raw] = self._session.run([self._output], fed)
        except (failures.InvalidArgument, failures.RuntimeException, failures.Fail) as error:
            raise EmbeddingRefusedError from error
        return unit(self._pooled(np.asarray(raw, dtype=np.float32), mask))

    def _padded(self, windows: Sequence[Window]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        shape = (len(windows), max(len(window.tokens) for window in windows))
        ids, mask = np.full(shape, self._padding, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        for row, window in enumerate(windows):
            ids[row, : len(window.tokens)] = window.tokens
            mask[row, : len(window.tokens)] = 1
        return ids, mask

    def _pooled(self, raw: Vectors, mask: NDArray[np.int64]) -> Vectors:
        if raw.ndim == 2:
            return raw  # The graph pools by itself.
        if self._recipe.pooling == "cls":
            first: Vectors = raw[:, 0]
            return first
        weights = mask[:, :, None].astype(np.float32)
        mean: Vectors = (raw * weights).sum(axis=1) / weights.sum(axis=1)
        return mean

    def _chosen_output(self, folder: Path) -> str:
        """Choose a finished vector where the graph has one, else the vectors of the tokens. BERT's "pooler" is neither."""
        ranks = {found.name: len(found.shape) for found in self._session.get_outputs()}
        for name in _SENTENCE_OUTPUTS:
            if ranks.get(name) == 2:
                return name
        for name, rank in ranks.items():
            if rank == 3:
                return str(name)
        raise ConfigurationError(
            f"The embedding model {folder.name} gives neither vectors of tokens nor one of the text, but {sorted(ranks)}. "
            "Export it for feature extraction."
        )


def grouped(windows: Sequence[Window]) -> Iterator[list[Window]]:
    """Yield runs of windows of similar lengths, the longest first, so that little of a run is padding."""
    group: list[Window] = []
    for window in sorted(windows, key=lambda window: -len(window.tokens)):
        if group and (len(group) + 1) * len(group[0].tokens) > _TOKENS_AT_ONCE:
            yield group
            group = []
        group.append(window)
    if group:
        yield group


def unit(vectors: Vectors) -> Vectors:
    """Scale rows to length 1.

    Raises:
        EmbeddingRefusedError: One of them has no direction.
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or not lengths.all():
        raise EmbeddingRefusedError("The embedding model found no vector for a part of the text.")
    scaled: Vectors = (vectors / lengths).astype(np.float32, copy=False)
    return scaled


def _tokenizer(folder: Path, recipe: Recipe) -> "Tokenizer":
    from tokenizers import Tokenizer  # noqa: PLC0415 - only where it is used

    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # The library raises nothing narrower.
        raise ConfigurationError(f"tokenizer.json of the embedding model {folder.name} is damaged. Export it again.") from error
    # What is behind the window is in `overflowing`; padding is done here, for a run and not for a text.
    tokenizer.enable_truncation(recipe.window)
    tokenizer.no_padding()
    return tokenizer


def _session(folder: Path) -> "InferenceSession":
    import onnxruntime  # noqa: PLC0415 - 0.2 s, and only where it is used
    from onnxruntime.capi import onnxruntime_pybind11_state as failures  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = min(_MOST_THREADS, os.cpu_count() or 1)
    options.inter_op_num_threads = 1
    # Threads that wait would burn the cores which PostgreSQL, Chroma and everybody else share with them.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # Its failures are exceptions here; on stderr they would say the same without context.
    path = graph_of(folder)
    broken = (failures.Fail, failures.InvalidGraph, failures.InvalidProtobuf, failures.InvalidArgument, failures.NotImplemented)
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except (*broken, failures.NoSuchFile, failures.RuntimeException) as error:
        raise ConfigurationError(f"{path.name} of the embedding model {folder.name} is damaged. Export it again.") from error
