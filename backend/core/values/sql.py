"""SQL, and what a parser says about it."""

from dataclasses import dataclass
from typing import Final, Literal

SqlTask = Literal["generate", "explain", "optimize", "fix"]


Dialect = Literal[
    "athena", "bigquery", "clickhouse", "databricks", "dax", "doris", "dremio", "drill", "druid", "duckdb", "dune", "exasol",
    "fabric", "hive", "mariadb", "materialize", "mssql", "mysql", "oracle", "postgres", "postgresql", "presto", "prql", "redshift",
    "risingwave", "snowflake", "solr", "spark", "spark2", "sqlite", "sqlserver", "starrocks", "tableau", "teradata", "trino",
    "tsql",
]  # fmt: skip
"""The dialects that are read, and other names for some of them."""

ALIASES: Final = {"mariadb": "mysql", "mssql": "tsql", "postgresql": "postgres", "sqlserver": "tsql"}


@dataclass(frozen=True, slots=True)
class SqlFault:
    """Where and why a parser stopped. ``line`` and ``column`` count from 1 and are ``None`` where it does not tell."""

    message: str
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class SqlJudgement:
    """Whether SQL parses. ``valid`` is ``None`` where that cannot be told, and ``fault`` then says why.

    ``statements`` counts those that were found, ``None`` where nothing could be read.
    """

    valid: bool | None
    statements: int | None
    fault: SqlFault | None = None
