"""Accounts, for administrators."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, status

from backend.api.deps import Admin, Administration, Origin, Page
from backend.api.errors import problems
from backend.core.errors import (
    AdminOnlyError,
    EmailTakenError,
    LastAdminError,
    TokenInvalidError,
    UsernameTakenError,
    UserNotFoundError,
)
from backend.schemas.auth import UserOut
from backend.schemas.base import Text
from backend.schemas.users import ResetLinkOut, UserIn, UserPage, UserPatch

router = APIRouter(prefix="/users", tags=["users"], responses=problems(TokenInvalidError, AdminOnlyError))

Search = Annotated[Text | None, Query(alias="q", min_length=1, max_length=200, description="Looks into names and addresses.")]


@router.get("")
async def list_users(_admin: Admin, administration: Administration, page: Page, search: Search = None) -> UserPage:
    """List accounts, newest first."""
    return UserPage.of(await administration.page(limit=page.limit, after=page.after, search=search))


@router.post("", status_code=status.HTTP_201_CREATED, responses=problems(UsernameTakenError, EmailTakenError))
async def create_user(body: UserIn, admin: Admin, administration: Administration, origin: Origin) -> UserOut:
    """Open an account for somebody, also where registration is closed."""
    user = await administration.create(
        username=body.username,
        email=body.email,
        password=body.password.get_secret_value(),
        full_name=body.full_name,
        role=body.role,
        tier=body.tier,
        actor_id=admin.user_id,
        origin=origin,
    )
    return UserOut.of(user)


@router.get("/{user_id}", responses=problems(UserNotFoundError))
async def read_user(user_id: UUID, _admin: Admin, administration: Administration) -> UserOut:
    """Return an account."""
    return UserOut.of(await administration.get(user_id))


@router.patch("/{user_id}", responses=problems(UserNotFoundError, LastAdminError))
async def update_user(user_id: UUID, body: UserPatch, admin: Admin, administration: Administration, origin: Origin) -> UserOut:
    """Change an account's role or tier, or disable it; a disabled account loses every credential at once."""
    user = await administration.update(admin, user_id, role=body.role, tier=body.tier, is_active=body.is_active, origin=origin)
    return UserOut.of(user)


@router.delete("/{user_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(UserNotFoundError, LastAdminError))
async def delete_user(user_id: UUID, admin: Admin, administration: Administration, origin: Origin) -> None:
    """Delete an account with everything that was its owner's."""
    await administration.delete(admin, user_id, origin=origin)


@router.post("/{user_id}/reset-link", status_code=status.HTTP_201_CREATED, responses=problems(UserNotFoundError))
async def create_reset_link(user_id: UUID, admin: Admin, administration: Administration, origin: Origin) -> ResetLinkOut:
    """Make a token that sets a new password, once, within a day. No mail is sent: hand it over yourself."""
    return ResetLinkOut(token=await administration.reset_link(admin, user_id, origin=origin))
