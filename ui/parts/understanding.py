"""Answers of the API that may be anything: whatever stands before it may answer in its place."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ui.client import unreadable

log = logging.getLogger(__name__)


@contextmanager
def understanding() -> Iterator[None]:
    """Read an answer within the block. One of another shape than is expected becomes an ``ApiError``."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        log.exception("an answer of another shape")
        raise unreadable() from error
