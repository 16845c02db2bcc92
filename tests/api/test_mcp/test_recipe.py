"""The program of docs/recipes/mcp.md, word for word, in a process of its own."""

import asyncio
import json
import os
import re
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

from tests.api.test_mcp.agents import key_of
from tests.support.ollama import StandInOllama
from tests.support.product import Account, Product

PAGE = (Path(__file__).parents[3] / "docs" / "recipes" / "mcp.md").read_text(encoding="utf-8")
BLOCKS = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


async def test_the_program_does_what_it_says(product: Product, alice: Account, ollama: StandInOllama) -> None:
    [program] = [text for language, text in BLOCKS.findall(PAGE) if language == "python"]
    key = await key_of(alice, "chat", "documents:read", "documents:write")
    environment = {**os.environ, "DOCENT_URL": product.url, "DOCENT_KEY": key["key"]}

    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=PIPE, stderr=STDOUT, env=environment)
    async with asyncio.timeout(120):
        output = (await process.communicate())[0].decode()

    assert process.returncode == 0, output
    assert "Status: ready" in output
    assert "Passage: oven [" in output
    assert "Progress: Read 1 passage" in output
    assert "240 degrees" in output.partition("Answer: ")[2]
    assert "Source: [1] oven: The oven must be at 240 degrees before the bread goes in." in output


def test_the_configurations_are_valid_and_name_the_door() -> None:
    for text in (text for language, text in BLOCKS.findall(PAGE) if language == "json"):
        assert "http://127.0.0.1:8000/mcp" in json.dumps(json.loads(text)["mcpServers"]["docent"])
