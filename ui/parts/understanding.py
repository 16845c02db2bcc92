"""Answers of the API that may be anything: whatever stands before it may answer in its place."""

from collections.abc import Iterator
from contextlib import contextmanager

from ui.client import ApiError

SENTENCE = "The server gave an answer that this page does not understand."


@contextmanager
def understanding() -> Iterator[None]:
    """Read an answer within the block. One of another shape than is expected becomes an ``ApiError``."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise ApiError(0, "not_understood", SENTENCE) from error
