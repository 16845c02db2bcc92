"""Files on their way to the API, several at a time, whatever becomes of the page meanwhile."""

from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock, Thread
from time import monotonic, sleep
from typing import IO, Literal, Protocol, cast

from ui.client import Api, ApiError
from ui.parts.understanding import understanding

AT_ONCE = 3
LONGEST_PAUSE_SECONDS = 900
"""How long a file waits for the account's limits, all in all."""
BROKEN = "This file could not be sent."

State = Literal["waiting", "sending", "limited", "accepted", "refused"]


class File(Protocol):
    """A file that was dropped. It is read while it is sent, from wherever it lies."""

    file_id: str
    name: str
    size: int

    def tell(self) -> int:
        """Return how much of it was read."""
        ...


@dataclass(slots=True)
class Upload:
    """One file. ``sentence`` says why it was refused, ``again`` whether another attempt may help."""

    file: File | None
    name: str
    size: int
    state: State = "waiting"
    sentence: str = ""
    again: bool = False
    paused: float = 0

    @property
    def over(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.state in {"accepted", "refused"}

    @property
    def share(self) -> float:
        """How much of it was sent, from 0 to 1."""
        file = self.file
        return 0.0 if file is None or not self.size else min(file.tell() / self.size, 1.0)


class Uploads:
    """The uploads of one visit. They run in threads of their own, so that a click elsewhere on the page does not end them.

    What was accepted stays in the list until ``forget_accepted``, what was refused until ``dismiss``.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._uploads: list[Upload] = []
        self._taken: set[str] = set()
        self._threads = 0
        self._pause_until = 0.0

    @property
    def all(self) -> list[Upload]:
        """Every upload, in the order in which the files were dropped."""
        with self._lock:
            return list(self._uploads)

    @property
    def running(self) -> bool:
        """Whether there is something that is not over."""
        return not all(upload.over for upload in self.all)

    @property
    def pause(self) -> float:
        """For how many seconds the account's limits let nothing through."""
        return max(self._pause_until - monotonic(), 0.0)

    def add(self, api: Api, files: Iterable[File]) -> None:
        """Take files that were not taken before, and begin to send them."""
        with self._lock:
            new = [file for file in files if file.file_id not in self._taken]
            self._taken.update(file.file_id for file in new)
            self._uploads += [Upload(file, file.name, file.size) for file in new]
        self._go(api)

    def again(self, api: Api, upload: Upload) -> None:
        """Try a refused file once more."""
        upload.state, upload.paused = "waiting", 0
        self._go(api)

    def dismiss(self, *uploads: Upload) -> None:
        """Forget uploads that are over."""
        with self._lock:
            self._uploads = [known for known in self._uploads if not (known.over and any(known is one for one in uploads))]

    def forget_accepted(self) -> int:
        """Forget what was accepted, and return how many these were."""
        accepted = [upload for upload in self.all if upload.state == "accepted"]
        self.dismiss(*accepted)
        return len(accepted)

    def _go(self, api: Api) -> None:
        with self._lock:
            waiting = sum(upload.state == "waiting" for upload in self._uploads)
            new = min(AT_ONCE - self._threads, waiting)
            self._threads += max(new, 0)
        for _ in range(new):
            # Nobody waits for them when the server of the pages is stopped.
            Thread(target=self._work, args=(api,), name="upload", daemon=True).start()

    def _work(self, api: Api) -> None:
        try:
            while (upload := self._next()) is not None:
                self._see_through(api, upload)
        except BaseException:
            with self._lock:
                self._threads -= 1
            self._go(api)  # A defect with one file is no reason to leave the others.
            raise

    def _see_through(self, api: Api, upload: Upload) -> None:
        try:
            self._send(api, upload)
        finally:
            if not upload.over:
                upload.sentence, upload.again, upload.state = BROKEN, True, "refused"
            if upload.state == "accepted" or not upload.again:
                upload.file = None  # Its bytes are free as soon as nobody needs them.

    def _next(self) -> Upload | None:
        """Take the next file, or leave: both in one step, so that no file is dropped between them."""
        with self._lock:
            found = next((upload for upload in self._uploads if upload.state == "waiting"), None)
            if found is None:
                self._threads -= 1
            else:
                found.state = "sending"
            return found

    def _send(self, api: Api, upload: Upload) -> None:
        while True:
            self._wait(upload)
            try:
                with understanding():
                    # Half a surrogate pair cannot be sent.
                    api.upload(upload.name.encode(errors="replace").decode(), cast("IO[bytes]", upload.file))
            except ApiError as error:
                limited = error.status == 429 and error.retry_after is not None
                if limited and upload.paused + (error.retry_after or 0) <= LONGEST_PAUSE_SECONDS:
                    self._pause_until = max(self._pause_until, monotonic() + max(error.retry_after or 0, 1))
                    continue
                upload.sentence = error.message
                upload.again = limited or error.status in {0, 408, 507} or 500 <= error.status <= 504
                upload.state = "refused"
            else:
                upload.state = "accepted"
            return

    def _wait(self, upload: Upload) -> None:
        """Wait until the account's limits let something through; they are those of all its uploads."""
        while (seconds := self.pause) > 0:
            upload.state = "limited"
            step = min(seconds, 1.0)
            sleep(step)
            upload.paused += step
        upload.state = "sending"
