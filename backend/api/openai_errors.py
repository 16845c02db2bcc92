"""Errors as clients of OpenAI's API read them: what is under ``/v1`` speaks so, whoever answers there."""

import orjson

_PREFIX = "/v1"
_CODES = {
    "model_unknown": "model_not_found",
    "prompt_too_long": "context_length_exceeded",
    "question_too_long": "context_length_exceeded",
}
"""Codes that programs look for by OpenAI's name. All others are our own."""
_PARAMS = {
    "dimensions_unsupported": "dimensions",
    "document_not_found": "document_ids",
    "input_too_long": "input",
    "model_unknown": "model",
    "prompt_too_long": "messages",
    "question_missing": "messages",
    "question_too_long": "messages",
    "response_format_unsupported": "response_format",
}
_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


def speaks_openai(path: str) -> bool:
    """Return whether what is at this path answers with OpenAI's errors."""
    return path == _PREFIX or path.startswith(f"{_PREFIX}/")


def status_there(status: int, code: str) -> int:
    """Return the status of an error there: OpenAI knows no 422, and a model that does not exist is not found."""
    if code == "model_unknown":
        return 404
    return 400 if status == 422 else status


def code_there(code: str) -> str:
    """Return the code of an error there."""
    return _CODES.get(code, code)


def body_there(status: int, *, code: str, message: str, param: str | None = None) -> bytes:
    """Return an error as it is sent there; the status is ours."""
    kind = "server_error" if status >= 500 else _TYPES.get(status, "invalid_request_error")
    if code == "quota_exceeded":
        kind = "insufficient_quota"
    told = {"message": message, "type": kind, "param": param or _PARAMS.get(code), "code": code_there(code)}
    return orjson.dumps({"error": told})
