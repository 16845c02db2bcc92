"""The programs of the recipes, word for word but for the address."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from tests.api.test_openai.conftest import CHAT_MODEL, Reader
from tests.support.product import Product

RECIPES = Path(__file__).parents[3] / "docs" / "recipes"
WRITTEN_ADDRESS = "http://127.0.0.1:8000"


async def printed(page: str, product: Product, reader: Reader, patch: pytest.MonkeyPatch) -> list[str]:
    """Run the blocks of a page one after the other, and return what they print. The model's server needs this loop meanwhile."""
    blocks = re.findall(r"```python\n(.*?)```", (RECIPES / page).read_text(encoding="utf-8"), re.DOTALL)
    program = "\n".join(blocks)
    assert WRITTEN_ADDRESS in program
    lines: list[str] = []
    named: dict[str, Any] = {"print": lambda *words: lines.append(" ".join(map(str, words)))}
    patch.setenv("DOCENT_API_KEY", reader.key)
    await asyncio.to_thread(exec, compile(program.replace(WRITTEN_ADDRESS, product.url), page, "exec"), named)
    # What would be closed by the end of the program.
    for client in filter(None, (named.get("client"), getattr(named.get("embeddings"), "client", None))):
        getattr(client, "_client", client).close()
    return lines


async def test_the_recipe_for_openais_library(product: Product, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = await printed("openai.md", product, reader, monkeypatch)

    assert {"docent", CHAT_MODEL, "grounded", "model_not_found model", "2 hashing/v1-512"} <= set(lines)
    assert any(line.startswith("[1] whales, page None, characters ") and "krill" in line for line in lines)
    assert any(line.endswith(" tokens") for line in lines)
    assert any(line.startswith("whales ") and "kilograms" in line for line in lines)


async def test_the_recipe_for_langchain(product: Product, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *said, embedded = await printed("langchain.md", product, reader, monkeypatch)

    assert "krill" in first
    assert "".join(said) == first
    assert embedded == "2"
