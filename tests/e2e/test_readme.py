"""The README, word for word: its tour is pasted into a shell, and its other commands exist."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
import typer.main

from backend.cli import app
from backend.core.config import Settings
from tests.ui import screenshots

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"(?P<tour><!-- tour -->\n)?```bash\n(?P<text>.*?)```", re.DOTALL)
TOUR = [block["text"] for block in BLOCK.finditer(README) if block["tour"]]
OTHER_LINES = [line for block in BLOCK.finditer(README) if not block["tour"] for line in block["text"].splitlines()]
WRITTEN_ADDRESS = "http://127.0.0.1:8000"
STARTING_SECONDS = 60.0
DOCENT = (str(Path(sys.executable).with_name("docent")),)

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="the tour is made with curl, which is not installed")


@dataclass(frozen=True)
class Tour:
    """What the blocks printed, one text each."""

    outputs: list[str]


def environment() -> dict[str, str]:
    """Without the settings of whoever runs the tests, and without a language model, so that the answers are known."""
    settings = {name.upper() for name in Settings.model_fields}
    kept = {name: value for name, value in os.environ.items() if name.upper() not in settings}
    return {**kept, "CHAT_PROVIDER": "extractive", "EMBEDDER": "hashing"}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server as `make run` starts it, but for the port and the folder."""
    folder = tmp_path_factory.mktemp("server")
    command = [*DOCENT, "serve", "--port", "0", "--data-dir", str(folder / "data")]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert server.stdout is not None
        told = next((found[1] for line in server.stdout if (found := re.search(r"is ready at (\S+)", line))), None)
        assert told is not None, (folder / "log").read_text()
        wait_until_ready(told)
        yield told
    finally:
        server.terminate()
        server.communicate(timeout=120)


def wait_until_ready(address: str) -> None:
    deadline = time.monotonic() + STARTING_SECONDS
    while httpx2.get(f"{address}/ready").json()["status"] != "ready":
        assert time.monotonic() < deadline, "the server did not become ready"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def tour(address: str) -> Tour:
    """The blocks of the tour in one shell, in the repository's folder, as somebody pastes them."""
    mark = "=== the next block ==="
    script = f"\necho '{mark}'\n".join(TOUR).replace(WRITTEN_ADDRESS, address)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return Tour(done.stdout.split(mark))


def test_the_tour_has_four_stops() -> None:
    assert len(TOUR) == 4


@needs_curl
def test_registering_answers_with_the_account(tour: Tour) -> None:
    assert json.loads(tour.outputs[0])["username"] == "ada"


@needs_curl
def test_the_upload_is_accepted_with_its_title(tour: Tour) -> None:
    document = json.loads(tour.outputs[1])

    assert (document["title"], document["filename"], document["error"]) == ("Observatory handbook", "handbook.pdf", None)


@needs_curl
def test_the_answer_cites_the_page_that_says_it(tour: Tour) -> None:
    answer = json.loads(tour.outputs[2])

    assert answer["answer_status"] == "grounded"
    assert any(
        source["cited"] and source["page"] == 5 and "call extension 555" in " ".join(source["quote"].split())
        for source in answer["sources"]
    )


@needs_curl
def test_the_stream_runs_from_its_first_event_to_its_last(tour: Tour) -> None:
    events = re.findall(r"^event: (\w+)\n.*\ndata: (.*)$", tour.outputs[3], re.MULTILINE)
    names = [name for name, _ in events]
    text = "".join(json.loads(data)["text"] for name, data in events if name == "delta")

    assert names[:2] == ["run", "sources"]
    assert set(names[2:-1]) == {"delta"}
    assert names[-1] == "done"
    assert "1.2 metres" in text


def test_the_pictures_are_there_and_small_and_taken_by_the_command() -> None:
    shown = re.findall(r"\]\((docs/images/[^)]+)\)", README)

    assert shown
    for name in {*shown, *(f"docs/images/{name}.png" for name in screenshots.NAMES)}:
        data = (ROOT / name).read_bytes()
        assert data.startswith(b"\x89PNG"), name
        assert len(data) <= screenshots.MOST_BYTES, name


def test_the_other_commands_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    commands: set[str] = set(vars(typer.main.get_command(app))["commands"])
    settings = {name.upper() for name in Settings.model_fields}

    for program, verb, *rest in map(shlex.split, OTHER_LINES):
        if program == "make":
            assert verb in targets
            assert {pair.partition("=")[0] for pair in rest} <= settings
        else:
            assert (program, verb in commands) == (".venv/bin/docent", True)
        if verb == "models":
            assert rest[0] == "pull"
            assert rest[1] in {Settings.model_fields[name].default for name in ("chat_model", "embedding_model")}


def test_the_command_without_a_server_answers(tmp_path: Path) -> None:
    line = next(line for line in OTHER_LINES if "docent ask" in line)
    arguments = [str(ROOT / word) if (ROOT / word).is_file() else word for word in shlex.split(line)[1:]]

    done = subprocess.run(
        [*DOCENT, *arguments], cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=300, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "34 euros" in done.stdout
