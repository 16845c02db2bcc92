"""An answer on its way, read by a thread of its own."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

from ui.client.api import Api
from ui.client.errors import ApiError
from ui.client.events import Event

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each attempt to go on after a break. After the last one the answer is given up."""
PASSING = frozenset({0, 408, 425, 429, 502, 503, 504})
"""What may be better a moment later; 0 is no answer at all."""


class Reading:
    """Reads an answer, so that whoever shows it never waits for it, and goes on reading where a connection broke.

    ``question`` is what was asked, and ``again`` the answer that is given anew, where it is one of these; ``message_id`` is known
    as soon as the server has said it. ``over`` is true at the end: of the answer, or of the attempts to read it, and then ``error``
    says why. Nobody reads any longer once ``watched()`` is false, or the reading was left; a resumable answer then has its grace.
    """

    def __init__(self, api: Api, session_id: str, *, watched: Callable[[], bool] = lambda: True) -> None:
        self.session_id = session_id
        self.message_id: str | None = None
        self.question: str | None = None
        self.again: str | None = None
        self.sources: list[dict[str, Any]] = []
        self.waiting = False
        self.searched = False
        self.broken = False
        self.stopping = False
        self.over = False
        self.error: ApiError | None = None
        self._api = api
        self._watched = watched
        self._pieces: list[str] = []
        self._last_id: str | None = None
        self._left = threading.Event()
        self._known = threading.Event()
        self._ended = threading.Event()

    @property
    def text(self) -> str:
        """What was said so far."""
        return "".join(self._pieces)

    def ask(self, path: str, body: dict[str, Any], *, after: Callable[[], None] = lambda: None) -> None:
        """Ask, once ``after`` has returned, and read the answer."""

        def begin() -> Iterator[Event]:
            self.waiting = True
            after()
            self.waiting = False
            if self.stopping:
                raise ApiError(0, "stopped", "It was stopped before it was asked.")
            yield from self._api.stream(path, {**body, "stream": True, "resumable": True})

        self._start(begin)

    def follow(self, message_id: str) -> None:
        """Read an answer that is being given, from its beginning."""
        self._is(message_id)
        self._start(self._rest)

    def stop(self) -> None:
        """End the answer; the reading is over as soon as it is stored. Before its message is known, that is waited for."""
        self.stopping = True
        threading.Thread(target=self._stop, name="stop", daemon=True).start()

    def wait(self, seconds: float) -> None:
        """Return after a while, or as soon as it is over."""
        self._ended.wait(seconds)

    def leave(self) -> None:
        """Read no longer."""
        self._left.set()

    @property
    def _place(self) -> str:
        return f"/chat/sessions/{self.session_id}/messages/{self.message_id}"

    def _is(self, message_id: str) -> None:
        self.message_id = message_id
        self._known.set()

    def _start(self, begin: Callable[[], Iterator[Event]]) -> None:
        threading.Thread(target=self._read, args=(begin,), name="answer", daemon=True).start()

    def _rest(self) -> Iterator[Event]:
        return self._api.follow(f"{self._place}/events", self._last_id)

    def _stop(self) -> None:
        self._known.wait()
        if self.message_id is None or self.over:
            return
        try:
            self._api.post(f"{self._place}/stop")
        except ApiError:
            # The answer goes on, and so does the button.
            self.stopping = False

    def _read(self, begin: Callable[[], Iterator[Event]]) -> None:
        pauses = iter(PAUSES)
        try:
            while self._attempt(begin):
                begin, self.broken = self._rest, True
                pause = next(pauses, None)
                if pause is None:
                    self.error = ApiError(0, "cut", "The connection to the server broke, and could not be made again.")
                    return
                if self._left.wait(pause):
                    return
        finally:
            self.over = True
            self._known.set()
            self._ended.set()

    def _attempt(self, begin: Callable[[], Iterator[Event]]) -> bool:
        """Read until the end, or until the stream breaks; return whether to go on from there."""
        events = begin()
        try:
            for event in events:
                self.broken = False
                if self._last(event):
                    return False
                if self._left.is_set() or not self._watched():
                    return False
        except ApiError as error:
            if self.message_id is None or error.status not in PASSING:
                self.error = error
                return False
            return True
        if self.message_id is None:
            self.error = ApiError(0, "cut", "The server ended the connection before it answered.")
        return self.message_id is not None

    def _last(self, event: Event) -> bool:
        told = event.data
        if event.id is not None:
            self._last_id = event.id
        if event.name == "run" and isinstance(told.get("message_id"), str):
            self._is(told["message_id"])
        elif event.name == "sources" and isinstance(told.get("sources"), list):
            self.sources, self.searched = told["sources"], True
        elif event.name == "delta":
            self._pieces.append(str(told.get("text", "")))
        elif event.name == "error":
            self.error = ApiError(0, str(told.get("code", "answer_cut")), str(told.get("message", "The answer broke off.")))
        return event.name in {"done", "error"}
