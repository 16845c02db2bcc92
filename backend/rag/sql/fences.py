"""Fenced code in what a model writes, closed or not."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import dedent
from typing import Final

# Models open and close fences in the middle of lines too; tildes are fences at the beginning of a line only.
_RUN: Final = re.compile(r"`{3,}|^[ \t>]*(~{3,})", re.MULTILINE)
# In SQL a run in a string is part of the string.
_RUN_OR_STRING: Final = re.compile(rf"'[^'\n]*'|{_RUN.pattern}", re.MULTILINE)
_INFO: Final = re.compile(r"[ \t]*\{?\.?([A-Za-z][\w+#.-]*)[^\n`]*(?=\n|\Z)")
_INLINE_LABEL: Final = re.compile(r"[ \t]*([A-Za-z][\w+#-]*)[ \t]+(?=\S)")
_LABEL_LINE: Final = re.compile(r"\s*([A-Za-z]+)[ \t]*\n")
_QUOTED: Final = re.compile(r"^[ \t]*>[ \t]?", re.MULTILINE)

_SQL_LABELS: Final = (
    "sql mysql mariadb postgres postgresql pgsql psql plpgsql plsql tsql t-sql mssql sqlserver transact-sql sqlite sqlite3 oracle "
    "bigquery googlesql snowflake redshift duckdb clickhouse hive hiveql hql spark sparksql databricks trino presto athena "
    "teradata ansi"
)
_OTHER_LABELS_TEXT: Final = (
    "json jsonc yaml yml xml html css csv tsv text txt plaintext plain md markdown console output result results shell sh bash zsh "
    "python py javascript js typescript ts java kotlin go golang rust ruby rb php c cpp c++ csharp cs c# r scala swift perl lua "
    "diff mermaid dockerfile toml ini"
)
SQL_LABELS: Final = frozenset(_SQL_LABELS.split())
_OTHER_LABELS: Final = frozenset(_OTHER_LABELS_TEXT.split())
_NO_LABELS: Final = frozenset(("code", "query"))


@dataclass(frozen=True, slots=True)
class Fence:
    """A fence in a text: what it takes there, the language that it names (lower-case, empty without one), and what is in it."""

    start: int
    end: int
    label: str
    body: str

    @property
    def is_sql(self) -> bool:
        """Whether it says that it holds SQL."""
        return self.label in SQL_LABELS


def fences(text: str) -> Iterator[Fence]:
    """Yield the fences of a text in their order. One that is never closed goes to the end."""
    at = 0
    while opening := _RUN.search(text, at):
        run = opening[1] or opening[0]
        closing = _closing(text, run, opening.end())
        inside, end = (
            (text[opening.end() :], len(text)) if closing is None else (text[opening.end() : closing.start()], closing.end())
        )
        label, body = _labelled(inside)
        yield Fence(opening.start(), end, label, _unquoted(body))
        at = end


def without_fences(text: str) -> str:
    """Return the text without anything that is a fence, for what is none of our fences and has some in it all the same.

    What stands in a string of SQL is none.
    """
    return _RUN_OR_STRING.sub(lambda found: found[0] if found[0].startswith("'") else "", text)


def _closing(text: str, run: str, at: int) -> re.Match[str] | None:
    """Return the next run of the same sign that is at least as long, and in no string."""
    while found := _RUN_OR_STRING.search(text, at):
        other = found[1] or found[0]
        if other[0] == run[0] and len(other) >= len(run):
            return found
        at = found.end()
    return None


def _labelled(inside: str) -> tuple[str, str]:
    """Tell the language's name from what is fenced: on the line of the fence, before the code on it, or on a line of its own."""
    if (info := _INFO.match(inside)) and (label := info[1].lower()) in SQL_LABELS | _OTHER_LABELS | _NO_LABELS:
        words = info[0].split()
        # `sql SELECT 1` is code with a label before it, `sql title="x"` is a label with more behind it.
        if len(words) == 1 or not _is_code(info[0].split(None, 1)[1]):
            return ("" if label in _NO_LABELS else label), inside[info.end() :]
    if (inline := _INLINE_LABEL.match(inside)) and inline[1].lower() in SQL_LABELS:
        return inline[1].lower(), inside[inline.end() :]
    if (line := _LABEL_LINE.match(inside)) and line[1].lower() in SQL_LABELS:
        return line[1].lower(), inside[line.end() :]
    return "", inside


def _is_code(rest: str) -> bool:
    return (
        re.match(r"(?i)(?:select|with|insert|update|delete|create|alter|drop|merge|truncate|values|explain|--|/\*)", rest)
        is not None
    )


def _unquoted(body: str) -> str:
    """Return the code without the blank lines around it, the indentation of a list, or the marks of a quotation."""
    lines = [line for line in body.split("\n") if line.strip()]
    if lines and all(line.lstrip().startswith(">") for line in lines):
        body = _QUOTED.sub("", body)
    return dedent(body).strip()
