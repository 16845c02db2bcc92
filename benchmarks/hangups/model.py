"""The stand-in model of ``benchmarks.streams``, which also notes when it was asked, and when whom it answered was gone.

Times are nanoseconds of the machine's monotonic clock, which all processes share; a question names itself (``mark-7``).
"""

import re
import sys
from time import monotonic_ns

import uvloop

from benchmarks.streams.model import OTHERS, Model, main

MARK = re.compile(rb"mark-(\d+)")
NOTES: dict[str, dict[str, int]] = {"asked": {}, "closed": {}}


class NotingModel(Model):
    """Answers ``GET /notes`` with what it noted."""

    _mark: str | None = None

    def connection_lost(self, error: Exception | None) -> None:
        if self._timer is not None and self._mark is not None:
            NOTES["closed"][self._mark] = monotonic_ns()
        super().connection_lost(error)

    def _answer(self, path: bytes, body: bytes) -> None:
        if path == b"/api/chat" and (found := MARK.search(body)):
            self._mark = found[1].decode()
            NOTES["asked"][self._mark] = monotonic_ns()
        super()._answer(path, body)


if __name__ == "__main__":
    OTHERS[b"/notes"] = NOTES
    uvloop.run(main(int(sys.argv[1]), NotingModel))
