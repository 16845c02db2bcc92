"""What a server's refusals mean."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from backend.adapters.chat_models.openai_compatible.presets import Preset
from backend.adapters.wire.failures import NO_FAULT_OF_THE_REQUEST, is_about_length, told_count, told_lengths
from backend.core.errors import DocentError, ModelMissingError, ModelRefusedError, ModelUnavailableError, PromptTooLongError

_TOO_LONG: Final = {"context_length_exceeded", "exceed_context_size_error", "string_above_max_length"}
_NO_CREDIT: Final = "insufficient_quota"
_LONGEST_WAIT: Final = 3600


def error_of(body: bytes) -> Mapping[str, Any]:
    """Return the object that says what went wrong, in one of the shapes that servers use; empty if there is none."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return as_error(answer)


def as_error(answer: object) -> Mapping[str, Any]:
    """Return the object that says what went wrong: ``{"error": {...}}``, ``{"error": text}``, or the object itself (older vLLM)."""
    if not isinstance(answer, dict):
        return {}
    error = answer.get("error", answer)
    return error if isinstance(error, dict) else {"message": error}


def refused(
    preset: Preset, status: int | None, error: Mapping[str, Any], model: str, *, retry_after: str | None = None
) -> DocentError:
    """Return the error for an answer that is not a 200, or for an error in place of the first piece, which may have no status."""
    said = str(error.get("message") or error.get("detail") or "")
    names = _names(error)
    if status in {400, 413, 422, None} and (names & _TOO_LONG or is_about_length(said)):
        return _too_long(said, error)
    if status == 404 and (not error or "model" in said.lower() or "model_not_found" in names):
        return missing(preset, model)
    if status is not None and 400 <= status < 500 and status not in NO_FAULT_OF_THE_REQUEST and _NO_CREDIT not in names:
        return ModelRefusedError(f"The provider {preset.provider} refused the request to the model {model}.")
    return unavailable(preset, status, error, retry_after=retry_after)


def missing(preset: Preset, model: str) -> ModelMissingError:
    """Return the error for a model that the provider does not have."""
    return ModelMissingError(f"The provider {preset.provider} does not have the model {model}.")


def unavailable(
    preset: Preset, status: int | None, error: Mapping[str, Any], *, retry_after: str | None = None
) -> ModelUnavailableError:
    """Return the error for an answer that is not a 200 and no fault of the request."""
    if status in {401, 403}:
        return ModelUnavailableError(
            f"The provider {preset.provider} refuses this server's key. Whoever runs it has to check {preset.key}."
        )
    if status == 402 or _NO_CREDIT in _names(error):
        return ModelUnavailableError(f"The account of this server at the provider {preset.provider} has no credit left.")
    if status in {429, 502, 503, 529}:
        return ModelUnavailableError(
            "The language model is busy right now.", retryable=True, retry_after_seconds=_seconds(retry_after)
        )
    return ModelUnavailableError()


def _names(error: Mapping[str, Any]) -> set[str]:
    return {str(error.get("code")), str(error.get("type"))}


def _too_long(said: str, error: Mapping[str, Any]) -> PromptTooLongError:
    tokens, window = told_lengths(said)
    # llama.cpp says it in fields of their own.
    counted, room = told_count(error.get("n_prompt_tokens")), told_count(error.get("n_ctx"))
    return PromptTooLongError(tokens=tokens if counted is None else counted, window=window if room is None else room)


def _seconds(retry_after: str | None) -> int | None:
    """Return what ``Retry-After`` says in whole seconds, at most an hour; a date is not read."""
    if retry_after is None or not retry_after.strip().isdecimal():
        return None
    return min(int(retry_after), _LONGEST_WAIT)
