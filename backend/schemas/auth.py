"""Accounts and tokens on the wire."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, SecretStr, ValidationError

from backend.core.errors import CredentialsInvalidError
from backend.core.values.user import Role, Tier, TokenPair, User
from backend.schemas.base import BLANKS, RequestModel, ResponseModel, Storable, Text, storable
from backend.services.accounts.profile import OwnSignIn


def _secret(value: SecretStr) -> SecretStr:
    storable(value.get_secret_value())
    return value


Username = Annotated[str, Field(min_length=3, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$"), Storable]
_ATOM = rf"[^@{BLANKS}\x00-\x1f\x7f-\x9f]+"
Email = Annotated[str, Field(min_length=3, max_length=254, pattern=rf"^{_ATOM}@{_ATOM}\.{_ATOM}$"), Storable]
FullName = Annotated[Text, Field(min_length=1, max_length=200)]
Password = Annotated[SecretStr, Field(min_length=1, max_length=256), AfterValidator(_secret)]
NewPassword = Annotated[SecretStr, Field(min_length=8, max_length=256), AfterValidator(_secret)]


class RegisterIn(RequestModel):
    """A new account."""

    username: Username
    email: Email
    password: NewPassword
    full_name: FullName | None = None


class LoginIn(RequestModel):
    """A username or an email address, and the password."""

    username: Annotated[Text, Field(min_length=1, max_length=254)]
    password: Password


@dataclass(frozen=True, slots=True)
class TokenForm:
    """The fields of an OAuth2 form that count here."""

    username: str
    password: str = field(repr=False)

    @classmethod
    def read(cls, username: str, password: str) -> "TokenForm":
        """Check the fields as ``LoginIn`` does.

        Raises:
            CredentialsInvalidError: No account can have these: too long, or not storable.
        """
        try:
            LoginIn(username=username, password=SecretStr(password))
        except ValidationError as error:
            raise CredentialsInvalidError from error
        return cls(username, password)


class RefreshIn(RequestModel):
    """A refresh token."""

    refresh_token: Annotated[Text, Field(min_length=1, max_length=512)]


class MePatch(RequestModel):
    """What a user may change about themselves; what is left out stays."""

    full_name: FullName | None = None
    # It may be left out, but not taken away. No default shows in the API's description, and none is ever read.
    email: Annotated[Email, Field(default_factory=str)]


class PasswordIn(RequestModel):
    """A new password, and the present one again."""

    present_password: Password
    new_password: NewPassword


class DeleteMeIn(RequestModel):
    """The password again, before everything is deleted."""

    password: Password


class ResetPasswordIn(RequestModel):
    """The token of a reset link, and the new password."""

    token: Annotated[Text, Field(min_length=1, max_length=512)]
    new_password: NewPassword


class SignInOut(ResponseModel):
    """A sign-in on one device."""

    id: UUID
    user_agent: str | None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    current: bool = Field(description="Whether this request came from it.")


class SignInList(ResponseModel):
    """The sign-ins that are good, the last used first. There are never so many that they would need pages."""

    items: list[SignInOut]
    next_cursor: None = None

    @classmethod
    def of(cls, sign_ins: Sequence[OwnSignIn]) -> "SignInList":
        """Build it from the service's answer."""
        fields = ("id", "user_agent", "created_at", "last_used_at", "expires_at")
        return cls(
            items=[SignInOut(**{name: getattr(own.sign_in, name) for name in fields}, current=own.current) for own in sign_ins]
        )


class UserOut(ResponseModel):
    """An account."""

    id: UUID
    username: str
    email: str
    full_name: str | None
    role: Role
    tier: Tier
    is_active: bool
    created_at: datetime

    @classmethod
    def of(cls, user: User) -> "UserOut":
        """Build it from the service's answer."""
        return cls.model_validate(user)


class OAuthErrorOut(ResponseModel):
    """An error of the token endpoint (RFC 6749, section 5.2)."""

    error: Literal["invalid_request", "invalid_grant", "unsupported_grant_type"]
    error_description: str


class TokenOut(ResponseModel):
    """Tokens: the access token goes into the Authorization header; the refresh token buys the next pair, once."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the type's name, not a secret
    expires_in: int = Field(description="Seconds.")
    refresh_token: str

    @classmethod
    def of(cls, pair: TokenPair) -> "TokenOut":
        """Build it from the service's answer."""
        return cls.model_validate(pair)
