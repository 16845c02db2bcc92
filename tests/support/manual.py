"""The operators' pages in docs, run as they stand there, on an installation of their own.

What they ask of root and of systemd is done by stand-ins: ``sudo`` stays who it is, and ``systemctl`` starts and ends what the unit
in ``deploy`` starts.
"""

import asyncio
import os
import re
import select
import shlex
import signal
import sys
from asyncio.subprocess import DEVNULL, STDOUT
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.chroma import free_port

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "deploy" / "docent.service"
DOCENT = Path(sys.executable).with_name("docent")
PARTS = re.compile(
    r"^(?P<not_run><!-- not run: [^\n]+ -->\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$(?:\n\n```text\n(?P<printed>.*?)^```$)?",
    re.DOTALL | re.MULTILINE,
)
MARK = "=== the next block ==="
SUDO = """\
#!/bin/bash
set -eu
while [ "${1:-}" = -E ] || [ "${1:-}" = -u ]; do
  if [ "$1" = -u ]; then shift; fi
  shift
done
exec "$@"
"""
SYSTEMCTL = """\
#!/bin/bash
set -eu
here=@FOLDER@
stop() {
  if [ -f "$here/pid" ]; then
    kill -TERM "$(cat "$here/pid")" 2>> "$here/log" || true
    while kill -0 "$(cat "$here/pid")" 2>> "$here/log"; do sleep 0.1; done
    rm -f "$here/pid"
  fi
}
start() {
  cd "$here/docent"
  setsid bash -c 'echo $$ > "$1/pid"; exec docent serve' start "$here" < /dev/null >> "$here/log" 2>&1 &
  until curl --silent --fail --output "$here/ready" "http://127.0.0.1:$PORT/ready"; do
    sleep 0.2
    kill -0 "$(cat "$here/pid" || echo 1)"
  done
}
case "$1" in
  start) start ;;
  stop) stop ;;
  restart) stop; start ;;
esac
"""


@dataclass(frozen=True, slots=True)
class Block:
    """A block of a page: what it says, and the lines that it should print, with ``...`` for anything."""

    page: str
    language: str
    text: str
    not_run: bool
    printed: str

    def missing_in(self, output: str) -> list[str]:
        """Return the lines that were promised and not printed."""
        return [line for line in self.printed.splitlines() if not re.search(_pattern(line), output, re.MULTILINE)]


def blocks(page: str) -> list[Block]:
    """Return the blocks of a page of docs, in its order; what they print is not among them."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return [
        Block(page, found["language"], found["text"], found["not_run"] is not None, found["printed"] or "")
        for found in PARTS.finditer(text)
        if found["language"] != "text"
    ]


class Machine:
    """A machine with nothing on it but the programs; its folders are within ``folder``."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder, self._port = folder, free_port()
        self._settings = {"PORT": str(self._port), "UI_ENABLED": "false", **settings}
        (folder / "bin").mkdir(parents=True)
        (folder / "docent").mkdir()
        (folder / "backups").mkdir()
        for name, text in (("sudo", SUDO), ("systemctl", SYSTEMCTL.replace("@FOLDER@", shlex.quote(str(folder))))):
            (folder / "bin" / name).write_text(text)
            (folder / "bin" / name).chmod(0o755)
        (folder / "bin" / "docent").symlink_to(DOCENT)

    async def follow(self, steps: Sequence[Block], *, within: float) -> list[str]:
        """Do what the blocks say, all in one shell; return what each printed.

        Raises:
            AssertionError: One of them failed.
        """
        script = f"\necho '{MARK}'\n".join(step.text for step in steps)
        for word, instead in (
            ("/var/lib/docent", f"{self.folder}/docent"),
            ("/var/backups/docent", f"{self.folder}/backups"),
            ("http://127.0.0.1:8000", f"http://127.0.0.1:{self._port}"),
        ):
            script = script.replace(word, instead)
        kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        paper = self.folder / "printed"
        with paper.open("wb") as output:
            shell = await asyncio.create_subprocess_exec(
                *("bash", "-euo", "pipefail", "-c", script),
                stdin=DEVNULL,
                stdout=output,
                stderr=STDOUT,
                cwd=self.folder,
                env={**kept, "PATH": path, **self._settings},
                start_new_session=True,
            )
        try:
            async with asyncio.timeout(within):
                await shell.wait()
        except TimeoutError as error:
            os.killpg(shell.pid, signal.SIGKILL)
            await shell.wait()
            message = f"not done after {within} s:\n{paper.read_text(errors='replace')[-3000:]}\n{self._log()}"
            raise AssertionError(message) from error
        told = paper.read_text(encoding="utf-8")
        told = told.replace(f"{self.folder}/docent", "/var/lib/docent").replace(f"{self.folder}/backups", "/var/backups/docent")
        printed = told.split(f"{MARK}\n")
        assert shell.returncode == 0, f"block {len(printed)}:\n{steps[len(printed) - 1].text}\n{printed[-1]}\n{self._log()}"
        return printed

    async def switch_off(self) -> None:
        """End what runs."""
        told = self.folder / "pid"
        if not told.exists():
            return
        pid = int(told.read_text())
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:
            return
        await asyncio.to_thread(_wait_for_the_end_of, pid)

    def _log(self) -> str:
        log = self.folder / "log"
        return log.read_text(errors="replace")[-2000:] if log.exists() else ""


def _wait_for_the_end_of(pid: int) -> None:
    """It is no child of ours: its shell has ended."""
    process = os.pidfd_open(pid)
    try:
        select.select([process], [], [], 60)
    finally:
        os.close(process)


def _pattern(line: str) -> str:
    return "^" + ".*".join(map(re.escape, line.split("..."))) + ("$" if "..." in line else "")
