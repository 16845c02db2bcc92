"""Replies of language models, one shape each, with what has to be found in them."""

import re
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as some

from backend.rag.sql.replies import SqlReply, sql_in

CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "cases.yaml").read_text(encoding="utf-8"))

MARKS = some.sampled_from(
    ["```", "````", "~~~", "```sql", "~~~sql", "`", "\n", "\r\n", " ", ";", "> ", "- ", "{", "}", '"sql":', "<think>", "</think>"]
)
WORDS = some.sampled_from(
    ["SELECT a FROM t", "WITH x AS (SELECT 1)", "select", "Here it is:", "SQL:", "-- so", "every name", "json", "(" * 9]
)
REPLIES = some.lists(MARKS | WORDS, max_size=24).map("".join) | some.text(max_size=80)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_sql_is_found_and_nothing_else(case: dict[str, Any]) -> None:
    found = sql_in(case["reply"], given=case.get("given", ()))

    assert found.sql == case["sql"]
    assert found.explanation == case.get("says", found.explanation)
    assert found.thinking == case.get("thinks", "")


def test_the_shapes_are_many() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES) > 50


@given(REPLIES)
def test_fences_never_survive(reply: str) -> None:
    found = sql_in(reply)

    if found.sql is not None:
        assert found.sql == found.sql.strip() != ""
        assert "```" not in re.sub(r"'[^'\n]*'", "''", found.sql), "in a string they are the string's"
        assert not any(line.lstrip(" \t>").startswith("~~~") for line in found.sql.split("\n"))


@given(
    before=some.lists(some.text("abcdefgh", min_size=1, max_size=8), max_size=5).map(" ".join),
    after=some.lists(some.text("abcdefgh", min_size=1, max_size=8), max_size=5).map(" ".join),
    fence=some.sampled_from(
        ["```sql\n{}\n```", "~~~\n{}\n~~~", "````SQL\n{}\n````", "<think>Hm.</think>```{}```", "[SQL]{}[/SQL]"]
    ),
    end=some.sampled_from(["\n", "\r\n", "\n\n\n"]),
)
def test_nothing_outside_of_the_fence_is_lost(before: str, after: str, fence: str, end: str) -> None:
    found = sql_in(end.join((before, fence.format("SELECT a FROM t;"), after)))

    assert found == SqlReply("SELECT a FROM t;", "\n\n".join(filter(None, (before, after))), "Hm." if "think" in fence else "")


@pytest.mark.parametrize(
    "unit",
    [
        "```",
        "~~~\n",
        "`",
        '{"sql":',
        "<think>",
        "SQL: ",
        "select\n",
        "/*",
        "--\n",
        "((",
        "\n\n",
        "with a as (",
        "> ```sql\n",
        "'",
        "``` ' ",
    ],
)
def test_hostile_replies_take_time_in_proportion(unit: str) -> None:
    def seconds(times: int) -> float:
        begun = perf_counter()
        sql_in(unit * times)
        return perf_counter() - begun

    few = min(seconds(500) for _ in range(3))

    # Ten times as long a reply would take a hundred times as long if the time were its square.
    assert min(seconds(5_000) for _ in range(3)) < max(40 * few, 0.5)
