"""The ``docent`` command, as somebody types it."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.support.files import WHALES
from tests.support.product import DOCENT

NOWHERE = "postgresql://somebody:else@127.0.0.1:9/production"
NOBODY = 65534


def environment(folder: Path, **settings: str) -> dict[str, str]:
    plain = {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder), "OLLAMA_URL": "http://127.0.0.1:9"}
    return {**plain, **settings}


def docent(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [str(DOCENT), *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment(folder, **settings), capture_output=True, text=True, timeout=300, check=False
    )


def running_in(folder: Path) -> list[str]:
    """Return the command lines of the processes whose environment or working directory is in the folder."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if Path(os.readlink(place / "cwd")).is_relative_to(folder):
                found.append((place / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


@contextmanager
def serving(folder: Path, *arguments: str, **settings: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run ``docent serve`` within the block, and yield the address that it prints."""
    command = [str(DOCENT), "serve", *arguments]
    with subprocess.Popen(
        command, cwd=folder, env=environment(folder, **settings), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert process.stdout is not None
            said = ""
            while " is ready at " not in said:
                line = process.stdout.readline()
                assert line, f"it ended: {said}"
                said += line
            yield said.rpartition(" is ready at ")[2].strip(), process
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=120)


def test_ask_answers_with_sources_from_files_alone_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "whales.md").write_bytes(WHALES)
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing else")

    # The settings are those of an installation with data of its own, which is none of this command's business.
    done = docent(
        tmp_path, "ask", "whales.md", "broken.pdf", "-q", "How many kilograms of krill do blue whales eat a day?",
        DATABASE_URL=NOWHERE, CHROMA_URL="http://127.0.0.1:9", BLOB_URL="file:///nowhere", REGISTRATION_OPEN="false",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "3,600 kilograms" in done.stdout
    assert re.search(r"^\[1\] whales \(\d+-\d+\)$", done.stdout, re.MULTILINE)
    assert re.search(r"^whales\.md: ready, \d+ passages$", done.stderr, re.MULTILINE)
    assert re.search(r"^broken\.pdf: failed, .+\.$", done.stderr, re.MULTILINE)
    assert "grounded" in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"whales.md", "broken.pdf"}
    assert running_in(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("broken.pdf", b"%PDF-1.7\nnothing else", "failed"),
        ("program.exe", b"MZ\x90\x00", "not supported"),
        ("empty.md", b"", "empty"),
    ],
)
def test_a_file_that_cannot_be_asked_about_is_a_sentence(tmp_path: Path, name: str, data: bytes, sentence: str) -> None:
    (tmp_path / name).write_bytes(data)

    done = docent(tmp_path, "ask", name, "-q", "What is in it?")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{name}: ")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert running_in(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ask_that_is_stopped_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "whales.md").write_bytes(WHALES * 50)
    # A shell starts background jobs with SIGINT ignored, and that is inherited: the terminal's Ctrl-C would not be.
    restored = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
    command = [sys.executable, "-c", restored, str(DOCENT), "ask", "whales.md", "-q", "Krill?"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        deadline = time.monotonic() + 30
        while not list(tmp_path.glob("docent-ask-*/postgres.port")):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(number)
        _, said = process.communicate(timeout=120)

    assert process.returncode == 128 + number
    assert b"Traceback" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["whales.md"]
    assert running_in(tmp_path) == []


def test_every_command_explains_itself(tmp_path: Path) -> None:
    overview = docent(tmp_path, "--help", COLUMNS="120", TERM="dumb", NO_COLOR="1").stdout
    commands = re.findall(r"^│ ([a-z][a-z-]*)  +\S", overview, re.MULTILINE)

    assert {"serve", "worker", "migrate", "ask", "eval"} <= set(commands)
    for command in commands:
        done = docent(tmp_path, command, "--help")
        assert done.returncode == 0
        assert f"docent {command}" in done.stdout


@pytest.mark.parametrize(
    "command", [("serve",), ("worker",), ("migrate",), ("backup", "b"), ("restore", "b"), ("ask", "whales.md", "-q", "Krill?")]
)
def test_a_wrong_setting_is_named(tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "whales.md").write_bytes(WHALES)

    done = docent(tmp_path, *command, PARSER_TIMEOUT_SECONDS="soon", SECRET_KEY="hunter2" * 9)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("PARSER_TIMEOUT_SECONDS: ")
    assert "hunter2" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["whales.md"]


@pytest.mark.parametrize(
    ("command", "wrong", "sentence"),
    [
        ("serve", {"FRONTEND_DIR": "nowhere"}, "FRONTEND_DIR is nowhere"),
        ("worker", {"STATUS_SERVICES": "mine"}, "STATUS_SERVICES"),
        ("serve", {"CHAT_PROVIDER": "nope"}, "CHAT_PROVIDER"),
    ],
)
def test_settings_that_cannot_work_are_named_before_anything_is_started(
    tmp_path: Path, command: str, wrong: dict[str, str], sentence: str
) -> None:
    done = docent(tmp_path, command, **wrong)

    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_serve_prints_its_address_and_the_second_start_is_quick(tmp_path: Path) -> None:
    measured = []
    for _ in range(2):
        begun = time.monotonic()
        with serving(tmp_path, "--port", "0", "--data-dir", str(tmp_path / "data")) as (address, process):
            assert httpx2.get(f"{address}/health", timeout=5).status_code == 200
            measured.append(time.monotonic() - begun)
        assert process.returncode in {0, -signal.SIGTERM}
    sys.stdout.write("\nfrom `docent serve` to /health: first {:.1f} s, second {:.1f} s\n".format(*measured))
    assert running_in(tmp_path) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests already ran as an ordinary user")
def test_an_ordinary_user_can_ask_as_well_as_root() -> None:
    folder = Path("/tmp") / f"docent-ordinary-{os.getpid()}"  # noqa: S108 - tmp_path is closed to other users
    setpriv = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    # Again from within itself: the watchers and parsers run in the same interpreter.
    code = "import backend, subprocess, sys; subprocess.check_call([sys.executable, '-c', ''])"
    if subprocess.run([*setpriv, sys.executable, "-c", code], cwd="/", capture_output=True, check=False).returncode != 0:
        pytest.skip("no interpreter that an ordinary user can reach has the product")
    folder.mkdir()
    try:
        os.chown(folder, NOBODY, NOBODY)
        (folder / "whales.md").write_bytes(WHALES)
        command = [*setpriv, str(DOCENT), "ask", "whales.md", "-q", "What do blue whales eat?"]
        done = subprocess.run(
            command, cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "krill" in done.stdout
        assert [path.name for path in folder.iterdir()] == ["whales.md"]
    finally:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
