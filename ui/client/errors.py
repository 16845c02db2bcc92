"""What the API refuses, in words."""

import json
from typing import Any

import httpx2


class ApiError(Exception):
    """An answer that is no success, or none at all. ``message`` is for people, ``code`` for programs; ``status`` 0 is no answer."""

    def __init__(self, status: int, code: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after

    @classmethod
    def of(cls, response: httpx2.Response) -> "ApiError":
        """Read a problem (RFC 9457); whatever stands before the API may answer with something else."""
        try:
            problem: Any = json.loads(response.content)
        except ValueError:
            problem = None
        told = problem if isinstance(problem, dict) else {}
        wait = response.headers.get("retry-after", "")
        return cls(
            response.status_code,
            str(told.get("code", f"http_{response.status_code}")),
            str(told.get("detail") or f"The server answered with the status {response.status_code}."),
            float(wait) if wait.isdecimal() else None,
        )


UNREACHABLE = "The server does not answer right now."


def unreachable() -> ApiError:
    """Return the error for a server that cannot be reached, or whose answer broke off."""
    return ApiError(0, "unreachable", UNREACHABLE)
