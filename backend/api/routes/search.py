"""Searches."""

from fastapi import APIRouter

from backend.api.deps import Asker, Search
from backend.api.errors import problems
from backend.core.errors import DatabaseUnavailableError, DocumentNotFoundError, TokenInvalidError
from backend.schemas.search import FindingsOut, SearchIn

router = APIRouter(prefix="/chat", tags=["chat"])


@router.post("/search", responses=problems(TokenInvalidError, DocumentNotFoundError, DatabaseUnavailableError))
async def search(body: SearchIn, caller: Asker, searches: Search) -> FindingsOut:
    """Search the caller's documents without asking a model: each passage with its place in the searches by meaning and by words."""
    chosen = None if body.document_ids is None else tuple(body.document_ids)
    findings = await searches.search(caller.user_id, body.query, document_ids=chosen, limit=body.limit, reach=caller.reach)
    return FindingsOut.model_validate(findings)
