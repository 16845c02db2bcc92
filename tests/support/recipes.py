"""The pages in docs/recipes, run as they stand there."""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "docs" / "recipes"
WRITTEN_ADDRESS = "http://127.0.0.1:8000"
BLOCK = re.compile(r"^```(?P<language>sh|python)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
MARK = "=== the next block of the page ==="


@dataclass(frozen=True, slots=True)
class Block:
    """Something to run: ``sh`` or ``python``."""

    language: str
    text: str

    @property
    def script(self) -> str:
        """The block as lines of a shell. Programs in Python read what the shell has exported before."""
        return (
            self.text
            if self.language == "sh"
            else f"\"$RECIPE_PYTHON\" - <<'=== end of python ==='\n{self.text}=== end of python ===\n"
        )


def blocks(page: str) -> list[Block]:
    """Return what there is to run on a page of docs/recipes, in its order. Blocks of other languages are there to be read."""
    found = BLOCK.finditer((RECIPES / page).read_text(encoding="utf-8"))
    return [Block(block["language"], block["text"]) for block in found]


async def followed(
    page: str, url: str, folder: Path, *, replacing: Mapping[str, str] | None = None, within: float = 240, **environment: str
) -> list[str]:
    """Run a page against the server at ``url``, all blocks in one shell as somebody pastes them; return what each printed.

    ``folder``, an empty one, is where it runs, with the repository's ``examples`` in it. ``replacing`` changes words of the page,
    such as the name of an account; ``environment`` is what the page expects to be set.

    Raises:
        AssertionError: A block failed, or printed an error.
    """
    script = f"\necho '{MARK}'\n".join(block.script for block in blocks(page))
    for word, instead in {WRITTEN_ADDRESS: url, **(replacing or {})}.items():
        assert word in script, f"{page} does not say {word}"
        script = script.replace(word, instead)
    (folder / "examples").symlink_to(ROOT / "examples")
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    shell = await asyncio.create_subprocess_exec(
        *("bash", "-euo", "pipefail", "-c", script),
        stdout=PIPE,
        stderr=PIPE,
        cwd=folder,
        env={**kept, "RECIPE_PYTHON": sys.executable, **environment},
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(within):
            output, errors = await shell.communicate()
    finally:
        if shell.returncode is None:
            os.killpg(shell.pid, signal.SIGKILL)
            await shell.wait()
    told = output.decode()
    assert (shell.returncode, errors.decode()) == (0, ""), f"{page}, {errors.decode()}\n{told}"
    return told.split(f"{MARK}\n")
