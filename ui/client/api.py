"""One signed-in person's way to the API."""

from collections.abc import Iterator
from typing import Any

import httpx2

from ui.client.errors import ApiError, unreachable
from ui.client.events import Event, events

V1 = "/api/v1"
PART = 100
"""As many as a list gives at a time."""


class Api:
    """Calls the API in somebody's name. Every method raises ``ApiError`` for what is not a success."""

    def __init__(self, http: httpx2.Client, token: str) -> None:
        self._http = http
        self._headers = {"Authorization": f"Bearer {token}"}

    def get(self, path: str, **params: object) -> Any:
        """Return what is there."""
        return self._call("GET", path, params={name: value for name, value in params.items() if value is not None})

    def all(self, path: str, *, most: int = 1000, **params: object) -> list[Any]:
        """Return a whole list, up to so many items."""
        found: list[Any] = []
        cursor = None
        while len(found) < most:
            part = self.get(path, limit=PART, cursor=cursor, **params)
            found += part["items"]
            cursor = part["next_cursor"]
            if cursor is None:
                break
        return found

    def post(self, path: str, body: object = None) -> Any:
        """Do something, or make something."""
        return self._call("POST", path, json=body)

    def put(self, path: str, body: object) -> Any:
        """Set something."""
        return self._call("PUT", path, json=body)

    def patch(self, path: str, body: object) -> Any:
        """Change something."""
        return self._call("PATCH", path, json=body)

    def delete(self, path: str, body: object = None) -> None:
        """Remove something."""
        self._call("DELETE", path, json=body)

    def upload(self, name: str, data: object) -> Any:
        """Send a file; return the document."""
        return self._call("POST", "/chat/upload", files={"file": (name, data)}, timeout=600)

    def download(self, path: str, **params: object) -> bytes:
        """Return a file."""
        try:
            response = self._http.get(
                V1 + path, params={name: str(value) for name, value in params.items() if value is not None}, headers=self._headers
            )
        except httpx2.TransportError as error:
            raise unreachable() from error
        if response.status_code >= 400:
            raise ApiError.of(response)
        return response.content

    def status(self) -> list[dict[str, Any]]:
        """Return how the services are that the system depends on."""
        found: list[dict[str, Any]] = self._call("GET", "/services/status", root=True)
        return found

    def stream(self, path: str, body: dict[str, Any]) -> Iterator[Event]:
        """Yield the events of an answer. Leaving the loop closes the connection, which stops the answer."""
        # The server sends signs of life; without any for so long, it is gone.
        waits = httpx2.Timeout(30, read=120)
        try:
            with self._http.stream("POST", V1 + path, json=body, headers=self._headers, timeout=waits) as response:
                if response.status_code >= 400:
                    response.read()
                    raise ApiError.of(response)
                yield from events(response.iter_lines())
        except httpx2.TransportError as error:
            raise unreachable() from error

    def _call(self, method: str, path: str, *, root: bool = False, **sent: Any) -> Any:
        try:
            response = self._http.request(method, path if root else V1 + path, headers=self._headers, **sent)
        except httpx2.TransportError as error:
            raise unreachable() from error
        if response.status_code >= 400:
            raise ApiError.of(response)
        return response.json() if response.content else None
