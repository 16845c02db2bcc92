"""Embedding models behind OpenAI's wire format, whoever serves them."""

import base64
import binascii
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

import numpy as np

from backend.adapters.wire.failures import WIRE_FAILURES, is_about_length, refusal_text
from backend.adapters.wire.http_session import HttpAnswer, HttpSession
from backend.adapters.wire.vectors import traits_of, unit_vectors
from backend.core.errors import DocentError, EmbedderUnavailableError, EmbeddingRefusedError
from backend.core.transactions import assert_no_transaction
from backend.ports.embedder import Vector, Vectors

# They refuse what is too long. Others may cut it in silence: Ollama's face of this format does, Hugging Face's TEI may.
_REFUSING: Final = {"vllm", "llamacpp"}
_REFUSING_HOST: Final = "api.openai.com"
# llama.cpp, with status 500: more tokens than its physical batch.
_TOO_LARGE: Final = "too large to process"


class OpenAICompatibleEmbedder:
    """See ``Embedder``. ``request_timeout`` is seconds for a batch.

    Nothing is cut in silence. OpenAI, vLLM and llama.cpp refuse what is too long. Of any other server it is tried out before its
    first vectors are used: two texts of ``max_characters`` that differ at their end must have different vectors. It is then asked
    for no longer ones: those are refused here.
    """

    batch_size = 64
    dense_weight = 0.5

    def __init__(
        self,
        provider: str,
        base_url: str,
        *,
        model: str,
        key: str | None = None,
        connect_timeout: float = 5,
        request_timeout: float = 120,
    ) -> None:
        self._url = f"{base_url.rstrip('/')}/embeddings"
        self._model = model
        self._within = request_timeout
        self._http = HttpSession(connect_timeout=connect_timeout, headers={"Authorization": f"Bearer {key}"} if key else None)
        self._traits = traits_of(model)
        self._proven = provider in _REFUSING or urlsplit(base_url).hostname == _REFUSING_HOST
        self._refuses = self._proven
        self._dimensions: int | None = None
        self.identity = f"{provider}/{model}"
        self.max_characters = self._traits.max_characters
        self.relevance_threshold = self._traits.relevance_threshold

    async def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """See ``Embedder.embed_documents``."""
        assert_no_transaction("embedding documents")
        if not texts:
            return np.empty((0, self._dimensions or 0), dtype=np.float32)
        batches = [
            await self._embed(self._traits.document_prefix, texts[at : at + self.batch_size])
            for at in range(0, len(texts), self.batch_size)
        ]
        return batches[0] if len(batches) == 1 else np.concatenate(batches)

    async def embed_query(self, text: str) -> Vector:
        """See ``Embedder.embed_query``."""
        assert_no_transaction("embedding a question")
        return np.asarray((await self._embed(self._traits.query_prefix, [text]))[0])

    async def dimensions(self) -> int:
        """See ``Embedder.dimensions``. Asked of the model once."""
        assert_no_transaction("asking for the length of the vectors")
        if self._dimensions is None:
            return int((await self._embed("", ["probe"])).shape[1])
        return self._dimensions

    async def aclose(self) -> None:
        """See ``Embedder.aclose``."""
        await self._http.aclose()

    async def _embed(self, prefix: str, texts: Sequence[str]) -> Vectors:
        if not self._refuses and any(len(text) > self.max_characters for text in texts):
            raise EmbeddingRefusedError
        if not self._proven:
            await self._prove()
        return await self._asked([prefix + text for text in texts])

    async def _prove(self) -> None:
        """Find out whether a text of the promised length is read to its end."""
        prefix = max(self._traits.document_prefix, self._traits.query_prefix, key=len)
        body = ("word " * self.max_characters)[: self.max_characters - 10]
        one, other = await self._asked([prefix + body + "elephants.", prefix + body + "democracy."])
        if np.allclose(one, other, atol=1e-6):
            raise EmbedderUnavailableError(
                f"The embedding model {self._model} silently cuts texts of {self.max_characters} characters. Use another one."
            )
        self._proven = True

    async def _asked(self, texts: list[str]) -> Vectors:
        request = {"model": self._model, "input": texts, "encoding_format": "base64"}
        try:
            answer = await self._http.exchange("POST", self._url, request, within=self._within)
            data = answer.json().get("data") if answer.status == 200 else None
        except WIRE_FAILURES as error:
            raise EmbedderUnavailableError(f"The embedding model {self._model} is not available right now.") from error
        if answer.status != 200:
            raise self._refused(answer)
        vectors = unit_vectors(self._in_order(data, len(texts)), len(texts), model=self._model)
        self._dimensions = vectors.shape[1]
        return vectors

    def _in_order(self, data: object, expected: int) -> list[object]:
        """Return the rows by their index, unpacked where the server packed them as it was asked to; not all know how."""
        rows: dict[object, object] = {}
        for entry in data if isinstance(data, list) else ():
            if isinstance(entry, dict):
                rows[entry.get("index")] = self._unpacked(entry.get("embedding"))
        if rows.keys() != set(range(expected)):
            raise EmbedderUnavailableError(f"The embedding model {self._model} did not answer with one vector for each text.")
        return [rows[index] for index in range(expected)]

    def _unpacked(self, row: object) -> object:
        if not isinstance(row, str):
            return row
        try:
            return np.frombuffer(base64.b64decode(row, validate=True), dtype="<f4")
        except (binascii.Error, ValueError) as error:
            raise EmbedderUnavailableError(f"The embedding model {self._model} answered something that is no vector.") from error

    def _refused(self, answer: HttpAnswer) -> DocentError:
        said = refusal_text(answer.body)
        if answer.status == 404:
            return EmbedderUnavailableError(f"The server at its address does not have the embedding model {self._model}.")
        if answer.status in {401, 403}:
            return EmbedderUnavailableError(f"The provider of the embedding model {self._model} refuses this server's key.")
        if answer.status in {400, 413, 422} or (answer.status == 500 and (_TOO_LARGE in said or is_about_length(said))):
            return EmbeddingRefusedError()
        return EmbedderUnavailableError(f"The embedding model {self._model} is not available right now.")
