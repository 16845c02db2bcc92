"""Questions to begin with."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from backend.api.deps import Asker, Suggestions
from backend.api.errors import problems
from backend.core.errors import DocumentNotFoundError, SessionNotFoundError, TokenInvalidError
from backend.schemas.search import SuggestionOut, SuggestionsOut

router = APIRouter(prefix="/chat", tags=["chat"])

AtMost = Annotated[int, Query(ge=1, le=10, description="At most so many.")]
OfDocuments = Annotated[
    list[UUID] | None, Query(alias="document_ids", min_length=1, max_length=100, description="Of these documents only.")
]
OfSession = Annotated[UUID | None, Query(description="Of the documents that this conversation is about.")]


@router.get("/suggestions", responses=problems(TokenInvalidError, DocumentNotFoundError, SessionNotFoundError))
async def list_suggestions(
    caller: Asker, suggestions: Suggestions, limit: AtMost = 4, ids: OfDocuments = None, session_id: OfSession = None
) -> SuggestionsOut:
    """Suggest questions that the caller's own ready documents answer, newest documents first. No model is asked."""
    chosen = None if ids is None else tuple(ids)
    found = await suggestions.suggest(caller.user_id, limit=limit, document_ids=chosen, session_id=session_id, reach=caller.reach)
    return SuggestionsOut(items=[SuggestionOut.of(each) for each in found])
