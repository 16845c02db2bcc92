"""Questions and answers that did not come to their end."""

from dataclasses import dataclass

from ui.client import ApiError


@dataclass
class Unsent:
    """A question that the API did not take."""

    question: str
    error: ApiError


@dataclass
class Kept:
    """What is known here of an answer that broke off, or could not be given ``anew``: why, and what was said."""

    error: ApiError
    text: str
    anew: bool
