"""Whether SQL parses, as sqlglot says, and what that may cost."""

import asyncio
from collections.abc import AsyncIterator
from typing import get_args

import pytest

from backend.adapters.sql_parsers.sqlglot import MOST_CHARACTERS, SqlglotParser
from backend.core.values.sql import ALIASES, Dialect, SqlFault


@pytest.fixture(scope="module")
async def parser() -> AsyncIterator[SqlglotParser]:
    opened = SqlglotParser()
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("sql", "statements"),
    [
        ("SELECT a, count(*) FROM t GROUP BY a", 1),
        ("SELECT 1;\n-- and\nSELECT 2;;", 2),
        ("WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", 1),
        ("(SELECT 1) UNION ALL (SELECT 2)", 1),
        ("CREATE TABLE t (id bigint PRIMARY KEY); DROP TABLE t", 2),
        ("BEGIN; UPDATE t SET a = a + 1; COMMIT;", 3),
        ("VALUES (1, 'x')", 1),
    ],
)
async def test_what_parses_is_valid(parser: SqlglotParser, sql: str, statements: int) -> None:
    judgement = await parser.judge(sql, "postgres")

    assert (judgement.valid, judgement.statements, judgement.fault) == (True, statements, None)


@pytest.mark.parametrize(
    ("sql", "line", "column"),
    [
        ("SELECT *\nFROM WHERE secret = 1", 2, 6),
        ("SELECT a FROM t WHERE (b = 1", 1, 28),
        ("SELECT 1 SELECT 2", 1, 10),
        ("SELEC * FORM users", None, None),
        ("every name", None, None),
        ("users", None, None),
        ("SELECT 'secret", None, None),
    ],
)
async def test_what_does_not_parse_is_invalid_and_says_where(
    parser: SqlglotParser, sql: str, line: int | None, column: int | None
) -> None:
    judgement = await parser.judge(sql, "postgres")

    assert (judgement.valid, judgement.fault is not None) == (False, True)
    assert isinstance(judgement.fault, SqlFault)
    assert (judgement.fault.line, judgement.fault.column) == (line, column)
    assert judgement.fault.message.endswith(".")
    assert not {"secret", "Token", "class"} & set(judgement.fault.message.replace("'", " ").split())


@pytest.mark.parametrize("sql", ["", " ;; ", "-- nothing yet", "VACUUM ANALYZE users", "SELECT 1; DO $$ BEGIN END $$"])
async def test_what_cannot_be_told_is_neither(parser: SqlglotParser, sql: str) -> None:
    judgement = await parser.judge(sql, "postgres")

    assert (judgement.valid, judgement.fault is not None) == (None, True)


async def test_dialects_differ_and_all_that_there_are_can_be_named(parser: SqlglotParser) -> None:
    assert (await parser.judge("SELECT TOP 3 [name] FROM [users]", "tsql")).valid is True
    assert (await parser.judge("SELECT TOP 3 [name] FROM [users]", "postgres")).valid is False

    known = await parser.dialects()

    assert sorted(set(get_args(Dialect)) - set(ALIASES)) == list(known)
    assert set(ALIASES.values()) <= set(known)


HOSTILE = [
    *(unit * (9000 // len(unit)) for unit in ("(", "not ", "[", "f(", "/*+ struct(", "'", "{{")),
    "select /*+ " + "struct(" * 25 + " */ 1",
    *("select " + "struct(" * times for times in (8, 25, 4000)),
    "select " + "a," * 15_000 + "a",
    " union ".join(["select 1"] * 2000),
    "x" * (MOST_CHARACTERS + 1),
]


@pytest.mark.parametrize("sql", HOSTILE, ids=lambda sql: f"{sql[:14]!r} {len(sql)}")
@pytest.mark.parametrize("dialect", [None, "athena"])
async def test_hostile_sql_ends_and_the_loop_goes_on(parser: SqlglotParser, sql: str, dialect: str | None) -> None:
    judging = asyncio.create_task(parser.judge(sql, dialect))
    turns = 0
    async with asyncio.timeout(60):
        while not judging.done():
            await asyncio.sleep(0.005)
            turns += 1

    judgement = await judging
    assert judgement.valid is True or judgement.fault is not None
    assert turns > 0
