"""One signed-in person's way to the API."""

import re
from collections.abc import Iterator
from dataclasses import replace
from http.cookiejar import CookieJar, DefaultCookiePolicy
from time import monotonic
from typing import IO, Any

import httpx2

from ui.client.errors import NOT_THERE, ApiError, in_words, unreadable
from ui.client.events import Event, events
from ui.client.reading import json_of, lines
from ui.client.records import Record, record

V1 = "/api/v1"
PART = 100
"""As many as a list gives at a time."""
CONNECTIONS = 200
CALL_SECONDS, FILE_SECONDS = 30.0, 600.0
"""How long a call may take to begin its answer, and again to end it; and one that carries a file."""
SILENCE_SECONDS = 120.0
"""How long a stream may say nothing. The server sends signs of life; without any for so long, it is gone."""
OK, NO_CONTENT = 200, 204
EVENTS = "text/event-stream"
BROKEN = (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError)
TOKEN = re.compile(r"[!-~]+")
PATH = re.compile(r"(?:/(?!\.\.?(?:/|\?|$))[\w.~:@-]+)+(?:\?[!\"$-~]*)?", re.ASCII)
"""What pages are made to ask for, also where a part of it stood in the browser's address: no step up, and nothing encoded."""


def connect(url: str) -> httpx2.Client:
    """Return connections to the API for everybody: it keeps no cookies, and asks no proxy of the environment.

    It may be used in several threads at once.
    """
    return httpx2.Client(
        base_url=url,
        timeout=CALL_SECONDS,
        limits=httpx2.Limits(max_connections=CONNECTIONS),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        trust_env=False,
    )


class Api:
    """Calls the API in somebody's name.

    Every method raises ``ApiError``, and nothing else, for what is not a success as the API promises it: a refusal, no answer,
    HTML, JSON of another shape. Objects are records: a member that is missing raises ``ApiError`` too, when it is looked at.
    """

    def __init__(self, http: httpx2.Client, token: str) -> None:
        self._http = http
        # The browser may send anything as its cookie; what cannot be a token is answered as one that is not known.
        self._headers = {"Authorization": f"Bearer {token if TOKEN.fullmatch(token) else '-'}"}

    def get(self, path: str, **params: object) -> Any:
        """Return the object that is there. A connection that breaks is tried once more."""
        return record(self._json("GET", path, params=_given(params)))

    def part(self, path: str, *, cursor: str | None = None, limit: int = 50, **params: object) -> tuple[list[Any], str | None]:
        """Return a part of a list, and the cursor of the next one; ``None`` after the last."""
        found = self.get(path, limit=limit, cursor=cursor, **params)
        items, following = found["items"], found["next_cursor"]
        if not isinstance(items, list) or not all(isinstance(item, Record) for item in items):
            raise unreadable()
        if not isinstance(following, str | None):
            raise unreadable()
        return items, following

    def all(self, path: str, *, most: int = 1000, **params: object) -> list[Any]:
        """Return a whole list, up to so many items."""
        found: list[Any] = []
        cursor = None
        for _ in range(0, most, PART):
            items, cursor = self.part(path, cursor=cursor, limit=PART, **params)
            found += items
            if cursor is None:
                break
        return found[:most]

    def post(self, path: str, body: object = None) -> Any:
        """Do something, or make something: return the object that came of it, ``None`` where the API has nothing to say (204)."""
        return self._changed("POST", path, body)

    def put(self, path: str, body: object) -> Any:
        """Set something; return what ``post`` does."""
        return self._changed("PUT", path, body)

    def patch(self, path: str, body: object) -> Any:
        """Change something; return what ``post`` does."""
        return self._changed("PATCH", path, body)

    def delete(self, path: str, body: object = None) -> None:
        """Remove something."""
        self._answer("DELETE", path, json=body)

    def upload(self, name: str, data: bytes | IO[bytes], *, title: str | None = None) -> Any:
        """Send a file, piece by piece if it is open; return the document."""
        return self._sent("POST", "/chat/upload", name, data, {} if title is None else {"title": title})

    def replace(self, path: str, name: str, data: bytes | IO[bytes]) -> Any:
        """Send a new version of a file in the same way; return the document."""
        return self._sent("PUT", path, name, data, {})

    def _sent(self, method: str, path: str, name: str, data: bytes | IO[bytes], fields: dict[str, str]) -> Any:
        file, waits = {"file": (name, data)}, httpx2.Timeout(CALL_SECONDS, read=FILE_SECONDS)
        return record(self._json(method, path, files=file, data=fields, timeout=waits))

    def download(self, path: str, **params: object) -> bytes:
        """Return a file: an export, or the original of a document."""
        _, file = self._answer("GET", path, within=FILE_SECONDS, params=_given(params))
        return file

    def status(self) -> list[dict[str, Any]]:
        """Return how the services are that the system depends on."""
        found = self._json("GET", "/services/status", root=True)
        if not isinstance(found, list):
            raise unreadable()
        return [record(service) for service in found]

    def stream(self, path: str, body: dict[str, Any]) -> Iterator[Event]:
        """Yield the events of an answer. Leaving the loop closes the connection, which stops an answer that is not ``resumable``.

        A server that goes away raises; a stream that just ends, ends the loop: whether it was whole, its last event says.
        """
        yield from self._events("POST", path, self._headers, json=body)

    def follow(self, path: str, last_event_id: str | None = None) -> Iterator[Event]:
        """Yield the events at an address, those after the one that was received last: an answer's, or a document's progress."""
        after = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
        yield from self._events("GET", path, {**self._headers, **after})

    def _changed(self, method: str, path: str, body: object) -> Record | None:
        found = self._json(method, path, json=body)
        return None if found is None else record(found)

    def _json(self, method: str, path: str, **sent: Any) -> Any:
        """Return the JSON of an answer; ``None`` where it has to be empty."""
        response, body = self._answer(method, path, **sent)
        if response.status_code == NO_CONTENT:
            return None
        try:
            found = json_of(body)
        except ValueError as error:
            raise unreadable(response.status_code, response.headers) from error
        if found is None:  # The API says nothing with 204 only.
            raise unreadable(response.status_code, response.headers)
        return found

    def _answer(self, method: str, path: str, **sent: Any) -> tuple[httpx2.Response, bytes]:
        """Return a success and its body. What only reads is asked once more if its connection breaks: that may be an old one."""
        with in_words():
            try:
                return self._answer_of(method, path, **sent)
            except BROKEN:
                if method != "GET":
                    raise
                return self._answer_of(method, path, **sent)

    def _answer_of(
        self, method: str, path: str, *, root: bool = False, within: float = CALL_SECONDS, **sent: Any
    ) -> tuple[httpx2.Response, bytes]:
        with self._http.stream(method, _address(path, root=root), headers=self._headers, **sent) as response:
            return response, _body(response, within)

    def _events(self, method: str, path: str, headers: dict[str, str], **sent: Any) -> Iterator[Event]:
        waits = httpx2.Timeout(CALL_SECONDS, read=SILENCE_SECONDS)
        with in_words(), self._http.stream(method, _address(path), headers=headers, timeout=waits, **sent) as response:
            if response.status_code != OK or not response.headers.get("content-type", "").startswith(EVENTS):
                _body(response, CALL_SECONDS)
                raise unreadable(response.status_code, response.headers)
            try:
                for event in events(lines(response.iter_bytes())):
                    yield replace(event, data=record(event.data))
            except (ValueError, RecursionError) as error:
                raise unreadable(response.status_code, response.headers) from error


def _address(path: str, *, root: bool = False) -> str:
    if PATH.fullmatch(path) is None:
        raise ApiError(404, "not_found", NOT_THERE)
    return path if root else V1 + path


def _body(response: httpx2.Response, within: float) -> bytes:
    """Return the body of a success, once all of it has come; raise what the API refused."""
    until = monotonic() + within
    pieces = []
    for piece in response.iter_bytes():
        pieces.append(piece)
        if monotonic() > until:
            raise httpx2.ReadTimeout("the body goes on and on")
    body = b"".join(pieces)
    if not 200 <= response.status_code < 300:
        raise ApiError.of(response.status_code, response.headers, body)
    return body


def _given(params: dict[str, object]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}
