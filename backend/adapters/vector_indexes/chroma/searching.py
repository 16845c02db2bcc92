"""The one request to Chroma that every question waits for."""

from typing import TYPE_CHECKING, cast

from backend.adapters.wire.failures import WIRE_FAILURES, WireError
from backend.adapters.wire.http_session import HttpAnswer, HttpSession
from backend.core.errors import VectorIndexUnavailableError
from backend.ports.embedder import Vector

if TYPE_CHECKING:
    from chromadb.api.models.AsyncCollection import AsyncCollection
    from chromadb.api.types import QueryResult


class Searches:
    """Asks for neighbours over a session of its own: in chromadb's client that takes four times the CPU (docs/adr/0014).

    Collections are those that chromadb's client has looked up, and refusals the exceptions that it would raise.
    """

    def __init__(self, url: str, *, connect_seconds: float, query_seconds: float) -> None:
        self._url = url.rstrip("/")
        self._within = query_seconds
        self._http = HttpSession(connect_timeout=connect_seconds)

    async def nearest(self, collection: "AsyncCollection", vector: Vector, limit: int) -> "QueryResult":
        """Return the nearest ids with their distances.

        Raises:
            ChromaError: The server refused, ``NotFoundError`` where the collection has been dropped.
            VectorIndexUnavailableError: It is not there, or does not speak as it should.
        """
        place = f"tenants/{collection.tenant}/databases/{collection.database}/collections/{collection.id}/query"
        body = {"query_embeddings": [vector.tolist()], "n_results": limit, "include": ["distances"]}
        try:
            answer = await self._http.exchange("POST", f"{self._url}/api/v2/{place}", body, within=self._within)
            if answer.status == 200:
                return cast("QueryResult", answer.json())
            raise _refusal(answer)
        except WIRE_FAILURES as error:
            raise VectorIndexUnavailableError from error

    async def aclose(self) -> None:
        """Close the session."""
        await self._http.aclose()


def _refusal(answer: HttpAnswer) -> Exception:
    from chromadb.errors import error_types  # noqa: PLC0415 - loaded by now, for the collection was looked up

    told = answer.json()
    kind = error_types.get(str(told.get("error")))
    return WireError(f"status {answer.status}") if kind is None else kind(str(told.get("message")))
