"""What a look at an installation finds."""

from dataclasses import dataclass
from typing import Literal

FindingState = Literal["fine", "warning", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``mend`` says what to do about one that is not ``fine``; ``wrong`` is what cannot work."""

    state: FindingState
    subject: str
    sentence: str
    mend: str = ""
