"""The recipe, word for word: its commands are pasted into a shell."""

import asyncio
import json
import re
import shutil
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from tests.support.ollama import StandInOllama
from tests.support.product import Account

RECIPE = (Path(__file__).parents[3] / "docs" / "recipes" / "assistants.md").read_text(encoding="utf-8")
COMMANDS: dict[str, str] = dict(re.findall(r"<!-- (\w+) -->\n```bash\n(.*?)```", RECIPE, re.DOTALL))
PASSED = "SELECT count(*) FROM passages WHERE extract(month FROM passed_at) = 5;"
REPLIES = {
    "generate": "It warns ships of the coast.",
    "context": "The keepers.",
    "stream": "One, two, three.",
    "sql": f"Here it is:\n```sql\n{PASSED}\n```\nIt counts them.",
    "fix": "```sql\nSELECT ship FROM passages WHERE passed_at IS NOT NULL\n```\nThe table was missing.",
    "code": "```python\ndef lamp_is_lit(hour):\n    return hour >= 18\n```",
}


async def test_all_of_its_commands_are_run_here() -> None:
    assert set(COMMANDS) == set(REPLIES)
    assert RECIPE.count("curl -") == len(COMMANDS)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("name", COMMANDS)
async def test_a_command_of_the_recipe_works(alice: Account, ollama: StandInOllama, name: str) -> None:
    ollama.reply = REPLIES[name]
    script = COMMANDS[name].replace("http://127.0.0.1:8000", str(alice.client.base_url).rstrip("/"))
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-euo",
        "pipefail",
        "-c",
        script,
        stdout=PIPE,
        stderr=PIPE,
        env={"PATH": "/usr/bin:/bin", "TOKEN": alice.access_token},
    )
    async with asyncio.timeout(60):
        output, errors = await process.communicate()

    assert (process.returncode, errors) == (0, b"")
    text = output.decode()
    match name:
        case "stream":
            events = re.findall(r"^event: (\w+)\nid: \d+\ndata: (.*)$", text, re.MULTILINE)
            assert "".join(json.loads(data)["text"] for kind, data in events if kind == "delta") == REPLIES[name]
            assert events[-1][0] == "done"
        case "sql" | "fix":
            answer = json.loads(text)
            assert (answer["valid"], answer["error"], answer["statements"]) == (True, None, 1)
            assert answer["sql"] in REPLIES[name]
            assert "```" not in answer["sql"] + answer["explanation"]
        case "code":
            assert json.loads(text)["completion"] == "hour >= 18"
        case _:
            assert json.loads(text)["response"] == REPLIES[name]
