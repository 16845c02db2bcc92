"""What happens in a turn, in order: ``Started``, ``Found``, any number of ``Delta``, then ``Done`` or ``Failed``.

Events have numbers, which grow: ``Started`` is 1 and ``Found`` 2, a ``Delta`` is 2 and the code points of the answer up to its end,
and the last event is one more than what was before it. So a number says how far somebody has read, wherever the rest comes
from and however its text is cut into deltas.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from backend.core.errors import DocentError
from backend.core.values.chat import Answer, Source


@dataclass(frozen=True, slots=True)
class Started:
    """The question is stored and will be answered by this message."""

    session_id: UUID
    message_id: UUID


@dataclass(frozen=True, slots=True)
class Found:
    """The passages that the model was given; the sources of ``Done`` replace them."""

    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Delta:
    """The next piece of the answer's text. All of them together are the stored answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """The answer is stored as this."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Failed:
    """The turn ended early; what had been said is stored as ``incomplete``."""

    error: DocentError


Event: TypeAlias = Started | Found | Delta | Done | Failed

STARTED = 1
FOUND = 2


class Rest:
    """What comes after the event of a number, of all events of a turn, given in order. The last one always does."""

    def __init__(self, after: int) -> None:
        self._after = after
        self._said = FOUND

    def of(self, events: Sequence[Event]) -> list[Event]:
        """Return what comes after it of the next events; a delta that it ends in is cut there."""
        if self._after < STARTED:
            return list(events)
        return [rest for event in events if (rest := self._rest(event)) is not None]

    def _rest(self, event: Event) -> Event | None:
        match event:
            case Started():
                return None
            case Found():
                return event if self._after < FOUND else None
            case Delta(text):
                known = max(self._after - self._said, 0)
                self._said += len(text)
                return Delta(text[known:]) if known < len(text) else None
            case _:
                return event
