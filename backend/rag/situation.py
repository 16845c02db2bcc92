"""What is known about a question before it is answered."""

from dataclasses import dataclass
from typing import Literal

Search = Literal["done", "small_talk", "no_documents", "still_indexing"]
"""Whether the documents were searched, or why they were not: courtesies are not, and there may be no document, or none yet."""


@dataclass(frozen=True, slots=True)
class Situation:
    """How a question stands to the documents. ``pending`` counts those that are not ready, and so were not searched.

    A ``strict`` answer comes from the documents alone.
    """

    search: Search = "done"
    pending: int = 0
    strict: bool = False
