"""Parsers of SQL, as the rest of the system sees them."""

from collections.abc import Sequence
from typing import Protocol

from backend.core.values.sql import SqlJudgement


class SqlParser(Protocol):
    """Tells whether SQL parses. It knows no tables, and runs nothing."""

    async def dialects(self) -> Sequence[str]:
        """Return the names of all dialects that it reads."""
        ...

    async def judge(self, sql: str, dialect: str | None) -> SqlJudgement:
        """Judge SQL by the rules of a dialect, or by what many dialects share.

        It ends after a bounded time, whatever it is given, and never holds up the event loop.
        """
        ...

    def close(self) -> None:
        """Let go of what it holds; afterwards it is not used again."""
        ...
