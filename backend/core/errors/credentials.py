"""Accounts and credentials."""

from backend.core.errors.kinds import ConflictError, ForbiddenError, NotFoundError, UnauthenticatedError


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


class ScopeMissingError(ForbiddenError):
    """The API key was not given the scope that this takes, or only a sign-in may do it."""

    code = "scope_missing"
    message = "This API key may not do that."


class OriginRefusedError(ForbiddenError):
    """A page of an origin that is not let in has sent the request."""

    code = "origin_refused"
    message = "Pages of this origin may not call. The operator lets origins in with CORS_ORIGINS."


class AdminOnlyError(ForbiddenError):
    """Only administrators may do this."""

    code = "admin_only"
    message = "Only administrators may do that."


class CrossSiteError(ForbiddenError):
    """A browser sent its cookie along with what another site made it send."""

    code = "cross_site"
    message = "This request comes from another site. Open the page again and repeat what you did there."


class PasswordWrongError(ForbiddenError):
    """The present password, asked for again before something that matters, is not right."""

    code = "password_wrong"
    message = "The present password is not right."


class ResetLinkInvalidError(ForbiddenError):
    """The link is unknown, expired or was used before."""

    code = "reset_link_invalid"
    message = "This link is expired or was used before. Ask an administrator for a new one."


class KeyNotFoundError(NotFoundError):
    """No API key of this owner has that id."""

    code = "key_not_found"
    message = "There is no such API key."


class SignInNotFoundError(NotFoundError):
    """No sign-in of this owner has that id."""

    code = "sign_in_not_found"
    message = "There is no such sign-in."


class UserNotFoundError(NotFoundError):
    """There is no such account."""

    code = "user_not_found"
    message = "There is no such user."


class LastAdminError(ConflictError):
    """Somebody has to be able to administer the system."""

    code = "last_admin"
    message = "This is the last active administrator."
