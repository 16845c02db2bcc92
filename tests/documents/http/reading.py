"""A reader with files on the product: what is stored of them, and what is shown of it in answers."""

import asyncio
import re
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.documents.real_file import Fact, RealFile
from tests.documents.writers import FILES
from tests.support.product import Account

UPLOAD, DOCUMENTS, SESSIONS = "/api/v1/chat/upload", "/api/v1/chat/documents", "/api/v1/chat/sessions"
MOST_FILES = 20
WINDOW = 700
"""Code points of a text that are read at a time: few enough that the texts of these files come in several parts."""
AT_ONCE = 4
QUESTIONS = {"below": "A note below stands."}
"""What is asked for where the fact alone is a word that no search looks for."""

Source = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shelved:
    """A file, and its document as it was when it was ready."""

    file: RealFile
    document: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.document["id"])


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, and the answer."""

    name: str
    fact: Fact
    answer: dict[str, Any]

    @property
    def sources(self) -> list[Source]:
        return list(self.answer["sources"])

    @property
    def cited(self) -> list[Source]:
        return [each for each in self.sources if each["cited"]]


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody whose files are all ready."""

    account: Account
    shelf: Mapping[str, Shelved]

    async def ask(self, name: str, fact: Fact) -> Asked:
        """Ask for a fact with its own words, in a conversation of its own and in its document alone."""
        response = await self.account.ask(QUESTIONS.get(fact.text, fact.text), document_ids=[self.shelf[name].id])
        assert response.status_code == 200, (name, fact, response.text)
        return Asked(name, fact, response.json())

    async def ask_for(self, facts: Iterable[tuple[str, Fact]]) -> list[Asked]:
        """Ask for several facts, some at a time."""
        return await few_at_once(self.ask(name, fact) for name, fact in facts)

    async def text(self, name: str, *, version: int) -> str:
        """Read the whole text of a version, part by part."""
        parts: list[str] = []
        start, length = 0, 1
        while start < length:
            part = await self._part(self.shelf[name].id, start=start, end=start + WINDOW, version=version)
            parts.append(part["text"])
            start, length = part["end"], part["length"]
        return "".join(parts)

    async def texts(self) -> dict[str, str]:
        """Read the first version of every document."""
        found = await few_at_once(self.text(name, version=1) for name in self.shelf)
        return dict(zip(self.shelf, found, strict=True))

    async def untrue(self, sources: Iterable[Source]) -> list[Source]:
        """Return the sources whose quote is not the stored text at their place in their version."""
        different = {(each["document_id"], each["version"], each["start"], each["end"], each["quote"]): each for each in sources}
        stored = await few_at_once(
            self._part(each["document_id"], **{key: each[key] for key in ("start", "end", "version")})
            for each in different.values()
        )
        return [each for each, part in zip(different.values(), stored, strict=True) if part["text"] != each["quote"]]

    async def remembered(self, asked: Asked) -> list[Source]:
        """Return the sources of an answer as its conversation keeps them."""
        found = (await self.account.client.get(f"{SESSIONS}/{asked.answer['session_id']}/messages")).json()["items"]
        (sources,) = (message["sources"] for message in found if message["id"] == asked.answer["message_id"])
        return list(sources)

    async def forgotten(self, answers: Iterable[Asked]) -> list[Asked]:
        """Return the answers whose conversations do not keep their sources as they were given."""
        answers = list(answers)
        kept = await few_at_once(self.remembered(asked) for asked in answers)
        return [asked for asked, sources in zip(answers, kept, strict=True) if sources != asked.sources]

    async def replace(self, name: str, text: str) -> dict[str, Any]:
        """Put a plain text in a file's place, and return its document when that is ready or failed."""
        address = f"{DOCUMENTS}/{self.shelf[name].id}/file"
        response = await self.account.client.put(address, files={"file": ("second.txt", text.encode())})
        assert response.status_code == 202, response.text
        return await self.account.settled(self.shelf[name].id, within=90)

    async def _part(self, document_id: str, **span: int) -> dict[str, Any]:
        response = await self.account.client.get(f"{DOCUMENTS}/{document_id}/text", params=span)
        assert response.status_code == 200, response.text
        part: dict[str, Any] = response.json()
        return part


async def few_at_once(tasks: Iterable[Awaitable[T]]) -> list[T]:
    """Await several things, a few at a time; return what they gave, in order."""
    room = asyncio.Semaphore(AT_ONCE)

    async def in_turn(task: Awaitable[T]) -> T:
        async with room:
            return await task

    return await asyncio.gather(*map(in_turn, tasks))


async def reader_of(account: Account, names: Sequence[str]) -> Reader:
    """Upload files, many in a request, and wait until each is ready or failed."""
    files = {name: FILES[name]() for name in names}
    ids: list[str] = []
    parts = [("files", (file.filename, file.data)) for file in files.values()]
    for start in range(0, len(parts), MOST_FILES):
        response = await account.client.post(UPLOAD, files=parts[start : start + MOST_FILES])
        outcome = response.json()
        assert (response.status_code, outcome["rejected"]) == (202, [])
        ids += [document["id"] for document in outcome["accepted"]]
    documents = await few_at_once(account.settled(each, within=90) for each in ids)
    return Reader(account, {name: Shelved(file, document) for (name, file), document in zip(files.items(), documents, strict=True)})


def is_cited(asked: Asked, file: RealFile, text: str) -> bool:
    """Tell whether a source that the answer cites quotes the fact where it stands, on its page if it has one.

    What is quoted are the sentences that support the answer best: they hold the fact, or mostly its words where it is longer.
    """
    places = [found.span() for found in _as_written(asked.fact, file).finditer(text)]
    quotes = [(each["start"], each["end"]) for each in asked.cited if asked.fact.page in {None, each["page"]}]
    return any(_quoted(quote, place) for quote in quotes for place in places)


def is_in(fact: Fact, file: RealFile, text: str) -> bool:
    """Tell whether a text holds a fact."""
    return _as_written(fact, file).search(text) is not None


def _quoted(quote: tuple[int, int], place: tuple[int, int]) -> bool:
    both = min(quote[1], place[1]) - max(quote[0], place[0])
    return both == place[1] - place[0] or 2 * both >= quote[1] - quote[0]


def _as_written(fact: Fact, file: RealFile) -> re.Pattern[str]:
    return re.compile(re.escape(fact.text) if file.exact else r"\s+".join(map(re.escape, fact.text.split())))
