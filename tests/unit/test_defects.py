"""Defects are told and documented, every kind of them."""

import re
from pathlib import Path
from uuid import uuid4

from backend.core.values.defect import KINDS, MOST_NAMED, Defect

OPERATIONS = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")


def test_every_kind_is_documented() -> None:
    table = OPERATIONS.partition("<!-- defects -->")[2].partition("<!-- /defects -->")[0]

    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(KINDS)


def test_a_defect_says_how_many_things_it_is_about() -> None:
    few = frozenset([uuid4()])
    many = frozenset(uuid4() for _ in range(MOST_NAMED))

    assert Defect("vectors_extra", uuid4(), "c", 1, few).sentence.endswith(": 1.")
    assert Defect("vectors_extra", uuid4(), "c", MOST_NAMED, many).sentence.endswith(f": {MOST_NAMED} or more.")
