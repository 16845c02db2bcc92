"""Limits and repeated requests."""

from backend.core.errors.kinds import ConflictError, ForbiddenError, InvalidError, NotFoundError, TooManyError


class RateLimitedError(TooManyError):
    """One of the limits is reached; ``details`` names it (``limit``)."""

    code = "rate_limited"
    message = "Too many requests."

    def __init__(self, message: str, *, limit: str, retry_after_seconds: float) -> None:
        super().__init__(message, limit=limit)
        self.retry_after_seconds = retry_after_seconds


class QuotaExceededError(TooManyError):
    """The account has used what its tier allows; ``details`` names the limit."""

    code = "quota_exceeded"
    message = "Your account has used what its tier allows."

    def __init__(self, message: str, *, limit: str, retry_after_seconds: float | None) -> None:
        super().__init__(message, limit=limit)
        self.retry_after_seconds = retry_after_seconds


class ModelNotAllowedError(ForbiddenError):
    """The account's tier may not use this model. The message says which it may."""

    code = "model_not_allowed"
    message = "Your account may not use this model."


class TierNotFoundError(NotFoundError):
    """There is no such tier in the database."""

    code = "tier_not_found"
    message = "There is no such tier."


class IdempotencyKeyReusedError(InvalidError):
    """The key was used for a request with another body or another operation."""

    code = "idempotency_key_reused"
    message = "This Idempotency-Key was used for a different request."


class IdempotencyKeyBusyError(ConflictError):
    """The first request with this key is still running."""

    code = "idempotency_key_busy"
    message = "The first request with this Idempotency-Key is still running."
