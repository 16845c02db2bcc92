"""Hang-ups are compared with what the model noted, and every door is asked."""

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.hangups.__main__ import verdicts
from benchmarks.hangups.client import Row, row

MS = 1_000_000


def test_a_hang_up_counts_from_its_moment_and_only_if_the_model_was_asked() -> None:
    hung_up = {1: 10 * MS, 2: 20 * MS, 3: 30 * MS, 4: 40 * MS}
    asked = {"1": 5 * MS, "2": 25 * MS, "4": 1}

    found = row("chat", hung_up, asked, {"1": 12 * MS, "2": 140 * MS})

    assert (list(found.closed), found.open, found.late, found.count) == ([2.0, 115.0], 1, 1, 3)
    assert found.within(100) == 1
    assert found.line().split() == ["chat", "3", "1", "58.5", "115.0", "115.0", "1"]


def test_the_verdict_is_about_all_doors_and_neither_the_model_nor_what_outlives_its_reader() -> None:
    fast, slow = Row("chat", [1.0] * 9), Row("grounded", [1.0, 101.0], open=1)
    [missed] = verdicts([Row("direct", [500.0]), fast, slow, Row("resumable", [1001.0])])
    [met] = verdicts([Row("direct", []), fast, Row("resumable", [])])

    assert (missed.figure, missed.bound, missed.met) == (10, 12, False)
    assert (met.figure, met.bound, met.met) == (9, 9, True)


def test_it_runs_in_small(tmp_path: Path) -> None:
    file = tmp_path / "verdicts"

    command = [sys.executable, "-m", "benchmarks.hangups", "--quick", "--verdicts", str(file)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=240)

    assert done.returncode == 0, done.stdout + done.stderr
    verdict = json.loads(file.read_text())
    assert verdict["bound"] == 40
    assert "chat, resumable" in done.stdout
