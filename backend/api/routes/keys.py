"""API keys."""

from uuid import UUID

from fastapi import APIRouter, status

from backend.api.deps import Keys, Origin, Page, SignedIn
from backend.api.errors import problems
from backend.core.errors import DocumentNotFoundError, KeyNotFoundError, ScopeMissingError, TokenInvalidError
from backend.schemas.keys import KeyIn, KeyPage, NewKeyOut

router = APIRouter(prefix="/auth/keys", tags=["keys"], responses=problems(TokenInvalidError, ScopeMissingError))


@router.get("")
async def list_keys(caller: SignedIn, keys: Keys, page: Page) -> KeyPage:
    """List the caller's API keys, newest first, without their secrets."""
    return KeyPage.of(await keys.page(caller.user_id, limit=page.limit, after=page.after))


@router.post("", status_code=status.HTTP_201_CREATED, responses=problems(DocumentNotFoundError))
async def create_key(body: KeyIn, caller: SignedIn, keys: Keys, origin: Origin) -> NewKeyOut:
    """Make an API key for programs. It is shown this once; send it as a bearer token, like an access token."""
    key, text = await keys.create(
        caller,
        name=body.name,
        scopes=body.scopes,
        document_ids=body.document_ids,
        expires_at=body.expires_at,
        origin=origin,
    )
    return NewKeyOut.made(key, text)


@router.delete("/{key_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(KeyNotFoundError))
async def revoke_key(key_id: UUID, caller: SignedIn, keys: Keys, origin: Origin) -> None:
    """Revoke an API key. Requests that carry it are refused from now on."""
    await keys.revoke(caller.user_id, key_id, origin=origin)
