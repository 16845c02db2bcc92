"""SQL read by sqlglot, which knows some thirty dialects and runs nothing."""

import asyncio
import logging
import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from backend.core.transactions import assert_no_transaction
from backend.core.values.sql import SqlFault, SqlJudgement

MOST_CHARACTERS: Final = 32_000
MOST_STEPS: Final = 200_000
"""Steps of the parser from token to token, half a second's worth on a quiet machine."""

_EXPECTED: Final = re.compile(r"Expected [A-Za-z][A-Za-z ]{0,40}?(?= but got|$)")


class _ExhaustedError(Exception):
    """The parser went back and forth for too long."""


class _Budget:
    """The steps that are left. The parser tries several readings, and nested texts can make their number double at each level."""

    def __init__(self) -> None:
        self.left = 0

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise _ExhaustedError


class SqlglotParser:
    """See ``SqlParser``. A text is read in a thread of its own, one at a time, within bounds of length, depth and steps.

    A thread cannot be stopped from outside, so the parser counts its own steps: fourteen nested calls of ``struct(`` took a second,
    and each further one doubles that.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sql")
        self._budget = _Budget()
        self._classes: dict[Any, Any] = {}

    async def dialects(self) -> Sequence[str]:
        """See ``SqlParser.dialects``."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, _dialects)

    async def judge(self, sql: str, dialect: str | None) -> SqlJudgement:
        """See ``SqlParser.judge``. It says nothing about statements that sqlglot takes as they are, such as ``VACUUM``."""
        assert_no_transaction("reading SQL")
        if len(sql) > MOST_CHARACTERS:
            return SqlJudgement(None, None, SqlFault(f"It is longer than the {MOST_CHARACTERS:,} characters that are read."))
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._judge, sql, dialect)

    def close(self) -> None:
        """See ``SqlParser.close``."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _judge(self, sql: str, dialect: str | None) -> SqlJudgement:
        from sqlglot.errors import ParseError, TokenError  # noqa: PLC0415 - 0.7 s, and most never need it

        self._budget.left = MOST_STEPS
        try:
            return _judged(self._parsed(sql, dialect))
        except TokenError:
            return SqlJudgement(
                False, None, SqlFault("A quotation or a comment has no end, or there is a character that SQL has not.")
            )
        except ParseError as error:
            return SqlJudgement(False, None, _fault(error.errors[0] if error.errors else {}))
        except RecursionError:
            return SqlJudgement(None, None, SqlFault("It is nested too deeply to be read."))
        except _ExhaustedError:
            return SqlJudgement(None, None, SqlFault("It has too many possible readings."))

    def _parsed(self, sql: str, dialect: str | None) -> list[Any]:
        from sqlglot.dialects.dialect import Dialect  # noqa: PLC0415 - 0.7 s, and most never need it
        from sqlglot.errors import ErrorLevel  # noqa: PLC0415 - the same

        # It would write the statements that it does not know into the log.
        logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
        reader = Dialect.get_or_raise(dialect or "")
        parser = reader.parser(error_level=ErrorLevel.IMMEDIATE)
        # Athena's has two others inside.
        for each in filter(None, (parser, getattr(parser, "_hive_parser", None), getattr(parser, "_trino_parser", None))):
            each.__class__ = self._bounded(type(each))
            # For the parts of a text that get a parser of their own.
            each.dialect.parser_class = self._bounded(each.dialect.parser_class)
        trees: list[Any] = parser.parse(reader.tokenize(sql), sql)
        return trees

    def _bounded(self, base: Any) -> Any:  # noqa: ANN401 - sqlglot is imported when it is needed
        """Return a class of parsers whose steps spend our budget."""
        if base.__name__.startswith("Bounded"):
            return base
        if base not in self._classes:
            budget = self._budget

            def advance(parser: Any, times: int = 1) -> None:  # noqa: ANN401 - of a class that is made here
                budget.spend()
                base._advance(parser, times)

            self._classes[base] = type(f"Bounded{base.__name__}", (base,), {"__slots__": (), "_advance": advance})
        return self._classes[base]


def _dialects() -> list[str]:
    from sqlglot.dialects.dialect import Dialects  # noqa: PLC0415 - 0.7 s, and most never need it

    return sorted(dialect.value for dialect in Dialects if dialect.value)


def _judged(trees: Iterable[Any]) -> SqlJudgement:
    from sqlglot import exp  # noqa: PLC0415 - loaded by now

    statements = [tree for tree in trees if tree is not None and not isinstance(tree, exp.Semicolon)]
    if not statements:
        return SqlJudgement(None, 0, SqlFault("There is no statement in it."))
    # It reads `the names` as a column with an alias: an expression alone is no statement.
    if any(isinstance(tree, exp.Condition | exp.Alias | exp.Aliases | exp.Tuple) for tree in statements):
        return SqlJudgement(False, len(statements), SqlFault("It is no statement."))
    if any(isinstance(tree, exp.Command) for tree in statements):
        return SqlJudgement(None, len(statements), SqlFault("It holds a statement that is not looked into."))
    return SqlJudgement(True, len(statements))


def _fault(error: dict[str, Any]) -> SqlFault:
    """Return what sqlglot found, without the words of the text, which it repeats, and without those of its own insides."""
    expected = _EXPECTED.match(str(error.get("description") or ""))
    message = f"{expected[0]}." if expected else "Something unexpected stands here, or something is missing."
    line, column = error.get("line"), error.get("col")
    marked = str(error.get("highlight") or "")
    # sqlglot counts to the end of the word.
    begins = column - len(marked) + 1 if isinstance(column, int) and "\n" not in marked else None
    return SqlFault(message, line if isinstance(line, int) else None, max(begins, 1) if begins is not None else None)
