"""One running product with a real file of every format on it, and what it answered about each of their facts."""

import re
from collections.abc import AsyncIterator
from pathlib import PurePath
from typing import Any

import pytest

from tests.documents.http.reading import Asked, Reader, reader_of
from tests.documents.writers import FILES
from tests.support.ollama import CHAT_MODEL, EMBEDDING_MODEL, InstalledModel, StandInOllama
from tests.support.product import Product, running_product

OTHER_MODEL = InstalledModel("mxbai-embed-large", "bert", 512, 384, ("embedding",))
"""Its vectors have another length, so that comparing them with the first model's is an error and not an answer."""

ONE_OF_EACH = {PurePath(FILES[name]().filename).suffix: name for name in reversed(list(FILES))}
NAMES = (*reversed(ONE_OF_EACH.values()), "pdf with two columns", "pdf from right to left")


PASSAGE = re.compile(r'<passage number="\[(\d+)\]"[^\n]*>\n(.*?)\n</passage>', re.DOTALL)


def in_its_own_words(request: dict[str, Any]) -> str:
    """Answer with the words of the question, and rest that on the best passage that has them all, else on the best."""
    passages, _, question = str(request["messages"][-1]["content"]).rpartition("\n\nQuestion: ")
    saying = [number for number, text in PASSAGE.findall(passages) if " ".join(question.split()) in " ".join(text.split())]
    return f"{question} [{(saying or ['1'])[0]}]" if passages else "The documents say nothing about that."


@pytest.fixture(scope="module")
async def models() -> AsyncIterator[StandInOllama]:
    """A model's server with a language model and two embedding models."""
    async with StandInOllama(reply=in_its_own_words, models=(CHAT_MODEL, EMBEDDING_MODEL, OTHER_MODEL)) as server:
        yield server


@pytest.fixture(scope="module")
async def reading_room(models: StandInOllama, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    """A running product whose answers and vectors come from that server."""
    folder = tmp_path_factory.mktemp("reading") / "data"
    async with running_product(folder, chat_provider="ollama", embedder="ollama", ollama_url=models.url) as running:
        yield running


@pytest.fixture(scope="module")
async def reader(reading_room: Product) -> AsyncIterator[Reader]:
    """Somebody with a file of every format."""
    async with reading_room.account("reader") as account:
        yield await reader_of(account, NAMES)


@pytest.fixture(scope="module")
async def answers(reader: Reader) -> list[Asked]:
    """An answer about every fact of every file, given before anything was rebuilt or replaced."""
    return await reader.ask_for((name, fact) for name, shelved in reader.shelf.items() for fact in shelved.file.facts)
