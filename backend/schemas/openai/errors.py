"""Errors in OpenAI's shape."""

from pydantic import BaseModel, Field


class OpenAIErrorDetails(BaseModel):
    """What went wrong. ``code`` is stable and meant for programs, ``message`` is a sentence for people."""

    message: str
    type: str = Field(description="The kind, such as `invalid_request_error` or `rate_limit_error`.")
    param: str | None = Field(description="The field of the request that is not right, if it is one.")
    code: str


class OpenAIError(BaseModel):
    """An error under `/v1`."""

    error: OpenAIErrorDetails
