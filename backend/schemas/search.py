"""Searches on the wire."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from backend.core.values.chat import Leg
from backend.core.values.search import Suggestion
from backend.schemas.base import NOT_BLANK, DocumentIds, NotBlank, RequestModel, ResponseModel, Storable


class SearchIn(RequestModel):
    """What to search for in the caller's documents."""

    query: Annotated[str, Field(min_length=1, max_length=32_000, pattern=NOT_BLANK), NotBlank, Storable]
    document_ids: DocumentIds | None = Field(None, description="Searches these documents only, instead of all.")
    limit: Annotated[int, Field(ge=1, le=50)] = 10


class DenseRankOut(ResponseModel):
    """The place in the search by meaning."""

    rank: int = Field(description="From 1.")
    score: float = Field(description="The cosine of the question's vector and the passage's.")


class LexicalRankOut(ResponseModel):
    """The place in the search by words."""

    rank: int = Field(description="From 1.")
    score: float = Field(description="BM25.")
    share: float = Field(description="How much of the weight of the question's words the passage has, 0 to 1.")


class SearchHitOut(ResponseModel):
    """A passage that was found: ``quote`` is the document's text at [start:end], code points."""

    rank: int
    document_id: UUID
    title: str
    version: int = Field(description="The version of the document that `start` and `end` count in.")
    page: int | None
    heading: str | None
    start: int
    end: int
    quote: str
    score: float = Field(description="Both searches together, 0 to 1, relative to what else was found.")
    relevant: bool = Field(description="Whether it reaches one of the thresholds. Answers are given from such passages only.")
    dense: DenseRankOut | None = Field(description="Null if the search by meaning did not find it.")
    lexical: LexicalRankOut | None = Field(description="Null if the search by words did not find it.")


class ThresholdsOut(ResponseModel):
    """From where on a passage is relevant."""

    dense: float = Field(description="Of the cosine.")
    lexical: float = Field(description="Of the share.")


class SearchTimingsOut(ResponseModel):
    """Milliseconds; null where there was nothing to search for."""

    dense_ms: float | None
    lexical_ms: float | None
    total_ms: float


class FindingsOut(ResponseModel):
    """What was found, best first, and all that explains the order."""

    query: str
    hits: list[SearchHitOut]
    degraded: list[Leg] = Field(description="Parts of the search that were down or late.")
    pending_document_ids: list[UUID] = Field(description="Documents that were still being indexed.")
    embedder: str = Field(description="What made the vectors.")
    dense_weight: float = Field(description="The part of the search by meaning in the score. A search alone has all.")
    thresholds: ThresholdsOut
    timings: SearchTimingsOut


class SuggestionOut(ResponseModel):
    """A question that a document of the caller answers."""

    question: str
    document_id: UUID

    @classmethod
    def of(cls, suggestion: Suggestion) -> "SuggestionOut":
        """Build it from the service's answer."""
        return cls.model_validate(suggestion)


class SuggestionsOut(ResponseModel):
    """Questions to begin with."""

    items: list[SuggestionOut]
