"""The tables of docs/scaling.md are what the measured figures give, and nothing was written by hand."""

from dataclasses import asdict, fields
from itertools import pairwise

import pytest

from benchmarks.unit_costs.arithmetic import ASSUMED, SENTENCES, limits, need
from benchmarks.unit_costs.figures import Figures
from benchmarks.unit_costs.tables import PAGE, SCALES, read, written


def test_the_page_has_the_tables_that_the_kept_figures_give() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert written(page, read(), ASSUMED) == page


def test_every_assumption_has_a_name_that_people_understand() -> None:
    assert set(SENTENCES) == set(asdict(ASSUMED))


def test_every_figure_was_measured() -> None:
    figures = read()

    # What a small document takes beyond its passages may be nothing.
    assert [each.name for each in fields(Figures) if getattr(figures, each.name) in (0, {}) and "document" not in each.name] == []


def test_needs_grow_with_the_accounts_and_nothing_needs_less_than_a_process() -> None:
    needs = [need(users, read(), ASSUMED) for users in SCALES]

    assert (needs[0].api_processes, needs[0].workers) == (1, 1)
    for fewer, more in pairwise(needs):
        assert more.postgres_disk == pytest.approx(10 * fewer.postgres_disk)
        assert more.connections >= fewer.connections


def test_what_ends_first_is_named_first() -> None:
    ends = [limit.users for limit in limits(read(), ASSUMED)]

    assert ends == sorted(ends)
