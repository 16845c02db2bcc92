"""What the system depends on, and whether it answers."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of trying one dependency. ``url`` holds no secret; without a ``vital`` one nothing can be served."""

    name: str
    url: str
    status: Literal["up", "down"]
    response_time_ms: float
    detail: str | None
    vital: bool
