"""Accounts and tokens."""

from typing import Annotated

from fastapi import APIRouter, Depends, status
from fastapi.security import OAuth2PasswordRequestForm

from backend.api.deps import Accounts, Caller, UserAgent, never_cached
from backend.api.errors import problems
from backend.core.errors import (
    CredentialsInvalidError,
    EmailTakenError,
    RefreshTokenInvalidError,
    RegistrationClosedError,
    TokenInvalidError,
    UsernameTakenError,
)
from backend.schemas.auth import LoginIn, MePatch, OAuthErrorOut, RefreshIn, RegisterIn, TokenForm, TokenOut, UserOut

router = APIRouter(prefix="/auth", tags=["auth"], dependencies=[Depends(never_cached)])


@router.post(
    "/register",
    status_code=status.HTTP_201_CREATED,
    responses=problems(RegistrationClosedError, UsernameTakenError, EmailTakenError),
)
async def register(body: RegisterIn, accounts: Accounts) -> UserOut:
    """Open an account. Sign in afterwards to get a token."""
    user = await accounts.register(
        username=body.username, email=body.email, password=body.password.get_secret_value(), full_name=body.full_name
    )
    return UserOut.of(user)


@router.post("/token", responses={400: {"model": OAuthErrorOut, "description": "As RFC 6749 says."}})
async def issue_token(form: Annotated[OAuth2PasswordRequestForm, Depends()], accounts: Accounts, user_agent: UserAgent) -> TokenOut:
    """Sign in with an OAuth2 password form: what Swagger's Authorize button and OAuth2 clients use. Errors as RFC 6749 says."""
    sent = TokenForm.read(form.username, form.password)
    return TokenOut.of(await accounts.sign_in(login=sent.username, password=sent.password, user_agent=user_agent))


@router.post("/login", responses=problems(CredentialsInvalidError))
async def log_in(body: LoginIn, accounts: Accounts, user_agent: UserAgent) -> TokenOut:
    """Sign in with JSON."""
    pair = await accounts.sign_in(login=body.username, password=body.password.get_secret_value(), user_agent=user_agent)
    return TokenOut.of(pair)


@router.post("/refresh", responses=problems(RefreshTokenInvalidError))
async def refresh_token(body: RefreshIn, accounts: Accounts) -> TokenOut:
    """Exchange a refresh token for a new pair. Each works once; one that comes a second time ends its sign-in."""
    return TokenOut.of(await accounts.refresh(body.refresh_token))


@router.post("/logout", status_code=status.HTTP_204_NO_CONTENT, responses=problems(RefreshTokenInvalidError))
async def log_out(body: RefreshIn, accounts: Accounts) -> None:
    """End a sign-in: its refresh token and its access tokens stop working."""
    await accounts.sign_out(body.refresh_token)


@router.get("/me", responses=problems(TokenInvalidError))
async def read_me(caller: Caller, accounts: Accounts) -> UserOut:
    """Return the caller's own account."""
    return UserOut.of(await accounts.me(caller.user_id))


@router.patch("/me", responses=problems(TokenInvalidError))
async def update_me(body: MePatch, caller: Caller, accounts: Accounts) -> UserOut:
    """Change the caller's own account."""
    return UserOut.of(await accounts.rename(caller.user_id, body.full_name))
