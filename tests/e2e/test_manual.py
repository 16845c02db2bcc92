"""The operators' pages, word for word: what they tell to do is done on a machine of their own, and prints what they say."""

import configparser
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.manual import DOCENT, UNIT, Block, Machine, blocks
from tests.support.ollama import StandInOllama
from tests.support.ollama.models import InstalledModel

PAGES = ("install.md", "backup.md", "tuning.md", "disaster.md")
STEPS = [block for page in PAGES for block in blocks(page) if block.language == "sh"]
CHAT, EMBEDDINGS = InstalledModel("llama3.2:1b"), InstalledModel("nomic-embed-text", "nomic-bert", 2048, 256, ("embedding",))

pytestmark = pytest.mark.timeout(1600)  # Some forty commands, each a process of its own.
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="the pages use curl, which is not installed")


@pytest.fixture(scope="module")
async def printed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[list[str]]:
    """What each step printed."""
    async with StandInOllama(models=()) as ollama:
        ollama.registry.models = [CHAT, EMBEDDINGS]
        machine = Machine(tmp_path_factory.mktemp("machine"), OLLAMA_URL=ollama.url)
        try:
            yield await machine.follow(STEPS, within=1500)
        finally:
            await machine.switch_off()


@needs_curl
def test_every_step_prints_what_the_pages_promise(printed: list[str]) -> None:
    broken = [
        (step.page, step.text, missing) for step, said in zip(STEPS, printed, strict=True) if (missing := step.missing_in(said))
    ]

    assert broken == [], "\n".join(printed)


@pytest.mark.parametrize("page", PAGES)
def test_what_is_not_run_says_why(page: str) -> None:
    shells: list[Block] = [block for block in blocks(page) if block.language in {"sh", "bash", "cron"}]

    assert [block.text for block in shells if block.not_run != (block.language != "sh")] == []


def test_every_case_of_the_page_about_disasters_has_steps() -> None:
    text = (UNIT.parents[1] / "docs" / "disaster.md").read_text(encoding="utf-8")

    assert [case.partition("\n")[0] for case in re.split(r"^## ", text, flags=re.MULTILINE)[1:] if "```sh" not in case] == []


def test_the_unit_starts_a_command_that_exists_and_ends_it_as_docent_wants_to_be_ended(tmp_path: Path) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign] # names of systemd have capitals
    unit.read_string(UNIT.read_text(encoding="utf-8"))
    service = unit["Service"]
    program, verb = service["ExecStart"].split()

    assert (Path(program).name, verb) == ("docent", "serve")
    assert subprocess.run([DOCENT, verb, "--help"], capture_output=True, check=False, cwd=tmp_path, timeout=60).returncode == 0
    assert (service["KillMode"], service["WorkingDirectory"]) == ("mixed", service["ReadWritePaths"])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    here = tmp_path / UNIT.name
    here.write_text(UNIT.read_text(encoding="utf-8").replace("/opt/docent/.venv/bin/docent", str(DOCENT)), encoding="utf-8")

    done = subprocess.run(["systemd-analyze", "verify", here], capture_output=True, text=True, check=False, timeout=60)

    assert [line for line in done.stderr.splitlines() if UNIT.name in line] == []
