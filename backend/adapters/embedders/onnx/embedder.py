"""The embedder of a local folder."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Final

import numpy as np

from backend.adapters.embedders.onnx.model import OnnxModel, grouped, unit
from backend.adapters.embedders.onnx.recipe import PLAIN, Recipe, fingerprint, read_recipe
from backend.core.errors import ConfigurationError, EmbedderUnavailableError
from backend.core.transactions import assert_no_transaction
from backend.ports.embedder import Vector, Vectors

_CHARACTERS_A_TOKEN: Final = 4
"""Of European languages. Scripts with more tokens to a character are embedded whole as well, in more than one window."""
_LOOK_AGAIN_SECONDS: Final = 30.0
"""How long a model that could not be loaded is left alone: loading takes time and memory, and each question would try."""


class OnnxEmbedder:
    """See ``Embedder``. Embeds with a model from a folder, on the processor, without a server and without a network.

    Nothing is truncated: a text that does not fit the model's window is embedded window by window, and its vector is their mean,
    weighted by their tokens. Passages are embedded one batch after the other, and questions do not wait for them.

    The model is loaded by the first call that needs it. ``identity`` ends with a fingerprint of the model's files, so that vectors
    of changed files are never compared with those before. An embedder that was made for an ``identity`` is unavailable where the
    files are gone or are others; one that was made without has its identity once it is loaded, and raises ``ConfigurationError``.
    """

    batch_size = 32

    def __init__(self, folder: Path, *, identity: str | None = None) -> None:
        self._folder = folder
        self._expected = identity
        self._model: OnnxModel | None = None
        self._failure: tuple[float, str] | None = None
        self._loading = asyncio.Lock()
        self._passages = asyncio.Lock()
        try:
            recipe = read_recipe(folder)
        except ConfigurationError:
            if identity is None:
                raise
            recipe = PLAIN  # Loading says what is wrong, to those who want a vector.
        self.identity = identity or f"onnx/{folder.name}"
        self._follow(recipe)

    async def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """See ``Embedder.embed_documents``."""
        assert_no_transaction("embedding documents")
        model = await self._loaded()
        async with self._passages:
            return await self._embed(model, [self._recipe.document_prefix + text for text in texts])

    async def embed_query(self, text: str) -> Vector:
        """See ``Embedder.embed_query``."""
        assert_no_transaction("embedding a question")
        vectors = await self._embed(await self._loaded(), [self._recipe.query_prefix + text])
        return np.asarray(vectors[0])

    async def dimensions(self) -> int:
        """See ``Embedder.dimensions``."""
        assert_no_transaction("loading the embedding model")
        return (await self._loaded()).dimensions

    async def aclose(self) -> None:
        """See ``Embedder.aclose``."""
        self._model = None

    async def _embed(self, model: OnnxModel, texts: Sequence[str]) -> Vectors:
        totals = np.zeros((len(texts), model.dimensions), dtype=np.float32)
        for group in grouped(await asyncio.to_thread(model.windows, texts)):
            for window, vector in zip(group, await asyncio.to_thread(model.run, group), strict=True):
                totals[window.text] += len(window.tokens) * vector
        return unit(totals)

    async def _loaded(self) -> OnnxModel:
        async with self._loading:
            if self._model is not None:
                return self._model
            if self._failure is not None and monotonic() < self._failure[0]:
                raise EmbedderUnavailableError(self._failure[1])
            try:
                model, recipe, identity = await asyncio.to_thread(self._load)
            except ConfigurationError as error:
                if self._expected is None:
                    raise
                self._failure = monotonic() + _LOOK_AGAIN_SECONDS, error.message
                raise EmbedderUnavailableError(error.message) from error
            self._model, self.identity = model, identity
            self._follow(recipe)
            return model

    def _load(self) -> tuple[OnnxModel, Recipe, str]:
        recipe = read_recipe(self._folder)
        identity = f"onnx/{self._folder.name}@{fingerprint(self._folder)}"
        if self._expected not in {None, identity}:
            raise ConfigurationError(
                f"The files of the embedding model {self._folder.name} are not those that the documents were embedded with. Put "
                f"them back, or change to these: docent reindex --embedder onnx --model {self._folder.name}"
            )
        return OnnxModel(self._folder, recipe), recipe, identity

    def _follow(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self.max_characters = recipe.window * _CHARACTERS_A_TOKEN
        self.dense_weight = recipe.dense_weight
        self.relevance_threshold = recipe.relevance_threshold
