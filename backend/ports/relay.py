"""From the process in which an answer is being given to the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Relayed:
    """What a turn said between two events, by their numbers: who has read up to ``after`` gets to ``number`` with ``data``."""

    after: int
    number: int
    data: str


class Relay(Protocol):
    """Carries what running turns say from one process to the others, in order and for some minutes.

    It may lose something, which then shows as a gap in the numbers: the stored answer makes up for it. Every method but ``aclose``
    may raise ``RelayUnavailableError``.
    """

    async def publish(self, turn_id: UUID, pieces: Sequence[Relayed]) -> None:
        """Add what a turn has said, with numbers that grow. Each piece once: a repetition is an error."""
        ...

    async def read(self, turn_id: UUID, *, after: int) -> list[Relayed]:
        """Return what is there beyond the event of this number, in order; the first piece may begin before it, or with a gap."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...
