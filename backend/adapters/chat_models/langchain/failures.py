"""What the exceptions of langchain's providers mean."""

from collections.abc import Iterator
from typing import Final

from backend.adapters.wire.failures import NO_FAULT_OF_THE_REQUEST, is_about_length, told_lengths
from backend.core.errors import DocentError, ModelMissingError, ModelRefusedError, ModelUnavailableError, PromptTooLongError

_BUSY: Final = {429, 502, 503, 529}
# Google and Anthropic say these with a 400.
_KEY_WORDS: Final = "api key not valid"
_NO_CREDIT: Final = ("insufficient_quota", "credit balance")


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
    if status is not None and 400 <= status < 500 and not _is_no_fault_of_the_request(status, words):
        return ModelRefusedError(f"The provider {provider} refused the request to the model {model}.")
    return _unavailable(provider, status, names, words)


def _is_no_fault_of_the_request(status: int, words: str) -> bool:
    return status in NO_FAULT_OF_THE_REQUEST or _KEY_WORDS in words.lower() or any(phrase in words for phrase in _NO_CREDIT)


def _unavailable(provider: str, status: int | None, names: set[str], words: str) -> ModelUnavailableError:
    if status in {401, 403} or _KEY_WORDS in words.lower():
        return ModelUnavailableError(
            f"The provider {provider} refuses this server's key. Whoever runs it has to check langchain's variables."
        )
    if status == 402 or any(phrase in words for phrase in _NO_CREDIT):
        return ModelUnavailableError(f"The account of this server at the provider {provider} has no credit left.")
    if status in _BUSY:
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
