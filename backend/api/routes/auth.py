"""Accounts and tokens."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, status
from fastapi.security import OAuth2PasswordRequestForm

from backend.api.deps import Accounts, Origin, Profile, SignedIn, Throttle, never_cached
from backend.api.errors import problems
from backend.core.errors import (
    CredentialsInvalidError,
    EmailTakenError,
    LastAdminError,
    PasswordWrongError,
    RateLimitedError,
    RefreshTokenInvalidError,
    RegistrationClosedError,
    ResetLinkInvalidError,
    SignInNotFoundError,
    TokenInvalidError,
    UsernameTakenError,
)
from backend.schemas.auth import (
    DeleteMeIn,
    LoginIn,
    MePatch,
    OAuthErrorOut,
    PasswordIn,
    RefreshIn,
    RegisterIn,
    ResetPasswordIn,
    SignInList,
    TokenForm,
    TokenOut,
    UserOut,
)

router = APIRouter(prefix="/auth", tags=["auth"], dependencies=[Depends(never_cached)])


@router.post(
    "/register",
    status_code=status.HTTP_201_CREATED,
    responses=problems(RegistrationClosedError, UsernameTakenError, EmailTakenError, RateLimitedError),
)
async def register(body: RegisterIn, accounts: Accounts, origin: Origin, throttle: Throttle) -> UserOut:
    """Open an account. Sign in afterwards to get a token."""
    await throttle.registering(origin.address)
    user = await accounts.register(
        username=body.username, email=body.email, password=body.password.get_secret_value(), full_name=body.full_name, origin=origin
    )
    return UserOut.of(user)


@router.post("/token", responses={**problems(RateLimitedError), 400: {"model": OAuthErrorOut, "description": "As RFC 6749 says."}})
async def issue_token(
    form: Annotated[OAuth2PasswordRequestForm, Depends()], accounts: Accounts, origin: Origin, throttle: Throttle
) -> TokenOut:
    """Sign in with an OAuth2 password form: what Swagger's Authorize button and OAuth2 clients use. Errors as RFC 6749 says."""
    sent = TokenForm.read(form.username, form.password)
    async with throttle.signing_in(sent.username, origin.address):
        return TokenOut.of(await accounts.sign_in(login=sent.username, password=sent.password, origin=origin))


@router.post("/login", responses=problems(CredentialsInvalidError, RateLimitedError))
async def log_in(body: LoginIn, accounts: Accounts, origin: Origin, throttle: Throttle) -> TokenOut:
    """Sign in with JSON."""
    async with throttle.signing_in(body.username, origin.address):
        pair = await accounts.sign_in(login=body.username, password=body.password.get_secret_value(), origin=origin)
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
async def read_me(caller: SignedIn, profile: Profile) -> UserOut:
    """Return the caller's own account."""
    return UserOut.of(await profile.own(caller))


@router.patch("/me", responses=problems(TokenInvalidError, EmailTakenError))
async def update_me(body: MePatch, caller: SignedIn, profile: Profile) -> UserOut:
    """Change the caller's own account."""
    return UserOut.of(await profile.update(caller.user_id, **body.model_dump(exclude_unset=True)))


@router.delete(
    "/me",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(TokenInvalidError, PasswordWrongError, LastAdminError, RateLimitedError),
)
async def delete_me(body: DeleteMeIn, caller: SignedIn, profile: Profile, origin: Origin, throttle: Throttle) -> None:
    """Delete the caller's account with everything that was theirs: out of sight at once, from disk within about an hour."""
    async with throttle.signing_in(str(caller.user_id), origin.address):
        await profile.delete(caller, password=body.password.get_secret_value(), origin=origin)


@router.post(
    "/me/password",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(TokenInvalidError, PasswordWrongError, RateLimitedError),
)
async def change_password(body: PasswordIn, caller: SignedIn, profile: Profile, origin: Origin, throttle: Throttle) -> None:
    """Set a new password. Everything else that was signed in ends, API keys and access tokens too: refresh yours."""
    async with throttle.signing_in(str(caller.user_id), origin.address):
        await profile.change_password(
            caller, present=body.present_password.get_secret_value(), new=body.new_password.get_secret_value(), origin=origin
        )


@router.post("/reset-password", status_code=status.HTTP_204_NO_CONTENT, responses=problems(ResetLinkInvalidError))
async def reset_password(body: ResetPasswordIn, profile: Profile, origin: Origin) -> None:
    """Set a new password with the token that an administrator handed over."""
    await profile.reset_password(body.token, body.new_password.get_secret_value(), origin=origin)


@router.get("/me/sign-ins", responses=problems(TokenInvalidError))
async def list_sign_ins(caller: SignedIn, profile: Profile) -> SignInList:
    """List where the caller is signed in, the last used first."""
    return SignInList.of(await profile.sign_ins(caller))


@router.delete(
    "/me/sign-ins/{sign_in_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(TokenInvalidError, SignInNotFoundError),
)
async def revoke_sign_in(sign_in_id: UUID, caller: SignedIn, profile: Profile, origin: Origin) -> None:
    """End one of the caller's sign-ins, with its access tokens."""
    await profile.revoke_sign_in(caller, sign_in_id, origin=origin)
