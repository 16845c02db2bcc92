"""Which models there are."""

from fastapi import APIRouter

from backend.api.deps import Asker, Catalog
from backend.api.errors import problems
from backend.core.errors import ScopeMissingError, TokenInvalidError
from backend.schemas.models import ModelsOut

router = APIRouter(prefix="/ai", tags=["ai"], responses=problems(TokenInvalidError, ScopeMissingError))


@router.get("/models")
async def list_models(caller: Asker, catalog: Catalog) -> ModelsOut:
    """List the models of all providers that the caller's tier may use. A provider that is away costs a few seconds at most."""
    return ModelsOut.of(await catalog.catalog(caller.tier))
