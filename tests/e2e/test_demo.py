"""``make demo``: what somebody sees before they have typed anything."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder), **variables}
    command = [sys.executable, str(ROOT / "examples" / "demo.py")]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False)


def test_the_demo_answers_from_the_handbook_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = run(tmp_path, CHAT_PROVIDER="extractive", EMBEDDER="hashing")

    assert (done.returncode, done.stderr) == (0, "")
    assert "call extension 555" in done.stdout
    assert "handbook, page 5" in done.stdout
    assert done.stdout.count("\n> ") >= done.stdout.count("  grounded") == 3
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_cannot_start_is_reported(tmp_path: Path) -> None:
    done = run(tmp_path, CHAT_PROVIDER="nonsense")

    assert done.returncode == 1
    assert "The demo failed" in done.stderr
    assert "CHAT_PROVIDER" in done.stderr
    assert list(tmp_path.iterdir()) == []
