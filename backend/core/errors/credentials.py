"""Accounts and credentials."""

from backend.core.errors.kinds import ConflictError, ForbiddenError, UnauthenticatedError


class CredentialsInvalidError(UnauthenticatedError):
    """Unknown user, wrong password or disabled account: deliberately one answer."""

    code = "credentials_invalid"
    message = "The username or the password is not right."


class TokenInvalidError(UnauthenticatedError):
    """The bearer token is missing, malformed, forged, expired or revoked."""

    code = "token_invalid"
    message = "The access token is missing, expired or not valid. Sign in again."


class RefreshTokenInvalidError(UnauthenticatedError):
    """The refresh token is unknown, expired, revoked or was used before."""

    code = "refresh_token_invalid"
    message = "The refresh token is expired or not valid. Sign in again."


class RegistrationClosedError(ForbiddenError):
    """REGISTRATION_OPEN is false."""

    code = "registration_closed"
    message = "This server does not accept new registrations. Ask its administrator for an account."


class UsernameTakenError(ConflictError):
    """Another account has this username, compared without case."""

    code = "username_taken"
    message = "This username is taken."


class EmailTakenError(ConflictError):
    """Another account has this email address, compared without case."""

    code = "email_taken"
    message = "An account with this email address exists."
