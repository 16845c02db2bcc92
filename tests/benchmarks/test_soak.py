"""The soak finds what grows, and the product leaves nothing behind in a short one."""

import subprocess
import sys
from dataclasses import replace
from random import Random

import pytest

from benchmarks.soak.__main__ import left_over, verdicts
from benchmarks.soak.sampling import Sample, shown
from benchmarks.soak.traffic import Tally
from benchmarks.soak.trends import trend

BEFORE = Sample(
    0, 0, {"api-1": 100, "worker-2": 80}, {"postgres": 50, "chroma": 90}, {"api-1": 20, "worker-2": 20}, 9, 12, 0, 40, {"users": 0}
)


def test_a_slope_is_found_in_noise_with_outliers_and_its_interval_holds_it() -> None:
    chance = Random(7)  # noqa: S311 - noise, no secret
    points = [(float(x), 5 + 0.25 * x + chance.gauss(0, 2)) for x in range(80)]
    points[40] = (40.0, 900.0)

    found = trend(points)

    assert found.slope == pytest.approx(0.25, abs=0.02)
    assert found.lowest < 0.25 < found.highest
    assert found.highest - found.lowest < 0.06


def test_two_points_tell_a_slope_and_nothing_of_how_sure_it_is() -> None:
    found = trend([(1, 10), (3, 14)])

    assert (found.slope, found.lowest, found.highest) == (2, float("-inf"), float("inf"))
    assert trend([(1, 1)]).slope != trend([(1, 1)]).slope


def test_what_grows_or_stays_behind_is_missed() -> None:
    samples = [
        replace(BEFORE, requests=1000 * n, private={"api-1": 100 + 0.3 * n, "worker-2": 80.0}) for n in range(20)
    ]  # 3 MB for 10,000 requests
    after = replace(BEFORE, files=2, tasks=30, rows={"users": 0, "tasks": 4})

    judged = {one.what: one for one in verdicts(samples, BEFORE, after, Tally(failures=["500"]), in_small=False)}

    assert judged["soak: memory of api-1 for 10,000 requests more"].figure == pytest.approx(3)
    assert {what.partition(": ")[2] for what, one in judged.items() if not one.met} == {
        "memory of api-1 for 10,000 requests more",
        "tasks that api-1 has more at rest than before",
        "files that are left",
        "tables with rows that are left",
        "answers that should not have been",
    }
    assert left_over(BEFORE, after) == {"tasks": 4}
    assert all(one.met for one in verdicts(samples, BEFORE, BEFORE, Tally(), in_small=True))


def test_a_table_shows_some_samples_and_always_the_last_one() -> None:
    samples = [replace(BEFORE, requests=n) for n in range(100)]

    assert [one.requests for one in shown(samples, most=4)] == [0, 25, 50, 75, 99]
    assert shown([]) == []


def test_nothing_is_left_behind_by_a_short_one() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.soak", "--quick"], check=False, capture_output=True, text=True, timeout=400
    )

    assert done.returncode == 0, done.stdout + done.stderr
