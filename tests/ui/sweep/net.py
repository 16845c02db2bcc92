"""What the last net of the pages catches: a page shows a sentence for it, and the log knows more."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import extract_tb

CAUGHT = "A page could not be shown."


class _Net(logging.Handler):
    def __init__(self, caught: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._caught = caught

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage() == CAUGHT and record.exc_info is not None and record.exc_info[1] is not None:
            error = record.exc_info[1]
            place = extract_tb(error.__traceback__)[-1]
            self._caught.append(f"{error!r:.120} in {place.name}, line {place.lineno} of {place.filename}")


@contextmanager
def caught() -> Iterator[list[str]]:
    """Return a list that gets what is caught meanwhile."""
    found: list[str] = []
    net = _Net(found)
    logging.getLogger().addHandler(net)
    try:
        yield found
    finally:
        logging.getLogger().removeHandler(net)
