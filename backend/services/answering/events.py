"""What happens in a turn, in order: ``Started``, ``Found``, any number of ``Delta``, then ``Done`` or ``Failed``."""

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
