"""What the API refuses, in words."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

from ui.client.reading import json_of

UNREACHABLE = "The server does not answer right now."
TIMED_OUT = "The server took too long to answer."
UNREADABLE = "The server answered with something that this page cannot read."
NOT_THERE = "There is nothing at this address."
NOT_SENDABLE = "The text has characters that cannot be sent."
TOO_MUCH = "That is more than the server takes."
SENTENCES = {
    401: "You are not signed in any more.",
    404: NOT_THERE,
    408: TIMED_OUT,
    413: TOO_MUCH,
    429: "Too many requests came at once.",
    502: UNREACHABLE,
    503: UNREACHABLE,
    504: TIMED_OUT,
}
"""For answers without words: those of a proxy, say."""
LONGEST_SENTENCE = 500
SECONDS = re.compile(r"[0-9]{1,7}")
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
CODE = re.compile(r"[a-z0-9_]{1,64}")


class ApiError(Exception):
    """An answer that is no success, or none at all.

    ``message`` is for people, ``code`` for programs; ``status`` 0 is no answer, and one under 300 an answer that nobody can read.
    ``retry_after`` counts seconds. ``request_id`` names the request in the server's log, where the server told it.
    """

    def __init__(
        self, status: int, code: str, message: str, retry_after: float | None = None, request_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after
        self.request_id = request_id

    @classmethod
    def of(cls, status: int, headers: Mapping[str, str], body: bytes) -> "ApiError":
        """Read a problem (RFC 9457); whatever stands before the API may answer with something else."""
        try:
            problem: Any = json_of(body)
        except ValueError:
            problem = None
        told = problem if isinstance(problem, dict) else {}
        code, sentence, request_id = told.get("code"), told.get("detail"), headers.get("x-request-id", told.get("request_id"))
        if not isinstance(sentence, str) or not sentence.strip():
            sentence = SENTENCES.get(status, f"The server answered with the status {status}.")
        return cls(
            status,
            code if isinstance(code, str) and CODE.fullmatch(code) else f"http_{status}",
            sentence[:LONGEST_SENTENCE],
            _seconds(headers.get("retry-after", "")),
            request_id if isinstance(request_id, str) and REQUEST_ID.fullmatch(request_id) else None,
        )


def unreachable() -> ApiError:
    """Return the error for a server that cannot be reached, or whose answer broke off."""
    return ApiError(0, "unreachable", UNREACHABLE)


def unreadable(status: int = 200, headers: Mapping[str, str] | None = None) -> ApiError:
    """Return the error for a success that is not what the API promises: HTML, an empty body, JSON of another shape."""
    request_id = (headers or {}).get("x-request-id", "")
    return ApiError(status, "unreadable", UNREADABLE, request_id=request_id if REQUEST_ID.fullmatch(request_id) else None)


@contextmanager
def in_words() -> Iterator[None]:
    """Turn what the HTTP library raises into an ``ApiError``."""
    try:
        yield
    except httpx2.TimeoutException as error:
        raise ApiError(0, "timed_out", TIMED_OUT) from error
    except httpx2.TransportError as error:
        raise unreachable() from error
    except httpx2.DecodingError as error:
        raise unreadable() from error
    except httpx2.InvalidURL as error:
        raise ApiError(404, "not_found", NOT_THERE) from error
    except UnicodeEncodeError as error:
        raise ApiError(422, "request_invalid", NOT_SENDABLE) from error


def _seconds(told: str) -> float | None:
    """Read ``Retry-After``, which is a number of seconds or a moment."""
    if SECONDS.fullmatch(told):
        return float(told)
    try:
        moment = parsedate_to_datetime(told)
    except ValueError:
        return None
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0) if moment.tzinfo else None
