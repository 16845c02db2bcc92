"""Where the time of a request goes: spans, which are lost, and cost a call, where nobody collects them.

No span bears a text of a document, a question or an answer: names, ids and numbers only.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Literal, Protocol

Kind = Literal["internal", "server", "client", "consumer"]
Attributes = Mapping[str, str | int | float | bool]


class Span(Protocol):
    """A part of the work, while it is being done."""

    def rename(self, name: str) -> None:
        """Give it the name that is known by now."""
        ...

    def set(self, attributes: Attributes) -> None:
        """Note what is known by now."""
        ...

    def event(self, name: str) -> None:
        """Note that something happens at this moment."""
        ...

    def fail(self, kind: str) -> None:
        """Say that it did not do what it was for, and in what way."""
        ...


class Tracer(Protocol):
    """Collects spans."""

    def span(self, name: str, kind: Kind, attributes: Attributes, parent: str | None) -> AbstractContextManager[Span]:
        """See ``span``."""
        ...

    def traceparent(self) -> str | None:
        """See ``traceparent``."""
        ...


class _Nothing(AbstractContextManager["_Nothing"]):
    """The span that nobody collects."""

    def __exit__(self, *_: object) -> None:
        """Let what was raised pass."""

    def rename(self, name: str) -> None:
        """See ``Span.rename``."""

    def set(self, attributes: Attributes) -> None:
        """See ``Span.set``."""

    def event(self, name: str) -> None:
        """See ``Span.event``."""

    def fail(self, kind: str) -> None:
        """See ``Span.fail``."""


_NOTHING = _Nothing()
_NONE: Attributes = {}


class _Collecting:
    tracer: Tracer | None = None


def trace_to(tracer: Tracer | None) -> None:
    """Hand all spans of this process to a tracer from now on, or to nobody."""
    _Collecting.tracer = tracer


def tracing() -> bool:
    """Whether anybody collects spans."""
    return _Collecting.tracer is not None


def span(
    name: str, attributes: Attributes = _NONE, *, kind: Kind = "internal", parent: str | None = None
) -> AbstractContextManager[Span]:
    """Return the span of a block of code, a child of the one around it; an exception that leaves it ends it as failed.

    ``parent`` is a W3C ``traceparent`` from elsewhere, and counts instead of what is around. Not for the body of an asynchronous
    generator, which may be ended from another context.
    """
    if _Collecting.tracer is None:
        return _NOTHING
    return _Collecting.tracer.span(name, kind, attributes, parent)


def traceparent() -> str | None:
    """Return the W3C header that makes what another process does a part of the present span; ``None`` where nobody collects."""
    return None if _Collecting.tracer is None else _Collecting.tracer.traceparent()
