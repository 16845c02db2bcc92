"""The stages of indexing, as they are measured and traced."""

from collections.abc import Iterator
from contextlib import contextmanager

from backend.core.metrics import INGESTION
from backend.core.tracing import span


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Take in how long the block took, however it ends."""
    with INGESTION.timed(name), span(f"indexing.{name}"):
        yield
