"""Calls of the repositories, and what they reach for."""

from tests.security.repository_calls.calls import NOT_ABOUT_ANOTHERS_IDS, OWN_READS, OWN_WRITES, READS, WRITES, Call, Things
from tests.security.repository_calls.things import everything_of, is_empty, things_of

__all__ = [
    "NOT_ABOUT_ANOTHERS_IDS",
    "OWN_READS",
    "OWN_WRITES",
    "READS",
    "WRITES",
    "Call",
    "Things",
    "everything_of",
    "is_empty",
    "things_of",
]
