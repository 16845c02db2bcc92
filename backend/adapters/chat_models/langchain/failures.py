"""What the exceptions of langchain's providers mean."""

from collections.abc import Iterator
from typing import Final

from backend.adapters.wire.failures import is_about_length, told_lengths
from backend.core.errors import DocentError, ModelMissingError, ModelUnavailableError, PromptTooLongError

_BUSY: Final = {429, 502, 503, 529}


def refused(provider: str, error: BaseException, model: str) -> DocentError:
    """Return the error of ours for one of a vendor's: told by its status, its name and its words."""
    if isinstance(error, TimeoutError):
        return ModelUnavailableError()
    status, names, words = _traits(error)
    if (status in {400, 413, None}) and is_about_length(words):
        tokens, window = told_lengths(words)
        return PromptTooLongError(tokens=tokens, window=window)
    if status == 404 or "NotFoundError" in names:
        return ModelMissingError(f"The provider {provider} does not have the model {model}.")
    if status in {401, 403}:
        return ModelUnavailableError(
            f"The provider {provider} refuses this server's key. Whoever runs it has to check langchain's variables."
        )
    if status in _BUSY and "insufficient_quota" not in words:
        return ModelUnavailableError("The language model is busy right now.", retryable=True)
    broken = "APIConnectionError" in names or "ConnectError" in names or "ReadError" in names
    return ModelUnavailableError(retryable=broken and not any("Timeout" in name for name in names))


def _traits(error: BaseException) -> tuple[int | None, set[str], str]:
    """Return the status of an error, the names of its classes and its words, causes included."""
    status, names, words = None, set[str](), list[str]()
    for each in _causes(error):
        names |= {kind.__name__ for kind in type(each).__mro__}
        words.append(str(each))
        told = getattr(each, "status_code", None) or getattr(each, "code", None)
        status = told if status is None and isinstance(told, int) else status
    return status, names, " ".join(words)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in seen and len(seen) < 8:
        seen.append(at)
        yield at
        at = at.__cause__ or at.__context__
