"""Sets through the real pipeline: uploaded, indexed and asked."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar
from urllib.parse import quote
from uuid import UUID

from backend.adapters.document_parsers import text
from backend.bootstrap.application import Replacements, open_application
from backend.core.config import Settings
from backend.core.errors import DocumentEmptyError, DuplicateDocumentError
from backend.core.transactions import assert_no_transaction
from backend.core.values.document import Upload
from backend.ports.document_parser import ParsedDocument
from backend.ports.embedder import Embedder
from backend.services.registry import Services
from benchmarks.retrieval.sets import PublicSet

ALIENS = 300
"""How many questions of other sets a corpus is asked that cannot answer them."""
AT_ONCE = 4
"""Documents, and questions."""

Given = TypeVar("Given")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that one of the legs found, with its raw scores."""

    passage: UUID
    document: str
    dense: float | None
    lexical: float | None
    share: float


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the grades of the documents that answer it (none, of a question for another set), and what was found.

    ``rankings`` are documents, best first, of the product's ``dense``, ``lexical`` and ``fused`` rankings.
    """

    grades: Mapping[str, float]
    rankings: Mapping[str, Sequence[str]]
    candidates: Sequence[Candidate]
    refused: bool


class PlainTextParser:
    """The product's reader of plain text, without the child process that every file would start."""

    def media_type(self, filename: str, head: bytes) -> str:
        """See ``DocumentParser.media_type``."""
        return "text/plain"

    async def parse(self, pieces: AsyncIterator[bytes], media_type: str) -> ParsedDocument:
        """See ``DocumentParser.parse``."""
        assert_no_transaction("parsing")
        return text.parse(b"".join([piece async for piece in pieces]))


async def ask_all(settings: Settings, embedder: Embedder, sets: Sequence[PublicSet], *, aliens: bool) -> dict[str, list[Asked]]:
    """Index every set for an owner of its own, ask its questions, and with ``aliens`` some of the others' as well."""
    found: dict[str, list[Asked]] = {}
    async with open_application(settings, replacing=Replacements(embedder=embedder, parser=PlainTextParser())) as application:
        services = application.services
        for one in sets:
            name = f"{one.name}-{embedder.identity}"
            _tell(f"{name}: {len(one.documents)} documents, {len(one.questions)} questions")
            owner = f"reader{len(found)}"
            user = await services.accounts.register(
                username=owner, email=f"{owner}@localhost.invalid", password="-" * 24, full_name=None
            )
            documents = await _indexed(services, user.id, one)
            asked: list[tuple[str, Mapping[str, float]]] = [
                (question, one.grades[number]) for number, question in one.questions.items()
            ]
            if aliens:
                asked += [(question, {}) for question in _others(one, sets)]
            found[one.name] = await _each(asked, partial(_ask, services, user.id, documents))
    return found


async def _each(given: Sequence[Given], work: Callable[[Given], Awaitable[Made]]) -> list[Made]:
    """Do the work for each, some at once, and return what was made in the order of what was given."""
    made: dict[int, Made] = {}
    waiting = iter(enumerate(given))

    async def line() -> None:
        for number, one in waiting:
            made[number] = await work(one)

    async with asyncio.TaskGroup() as lines:
        for _ in range(AT_ONCE):
            lines.create_task(line())
    return [made[number] for number in range(len(given))]


async def _indexed(services: Services, owner_id: UUID, one: PublicSet) -> dict[UUID, str]:
    documents: dict[UUID, str] = {}

    async def index(row: tuple[str, str]) -> None:
        number, content = row
        upload = Upload(f"{quote(number, safe='')}.txt", None, _pieces(content.encode()))
        try:
            document = await services.documents.upload(owner_id, upload)
        except (DuplicateDocumentError, DocumentEmptyError) as error:
            _tell(f"{one.name}: {number} is left out ({error.code})")
            return
        await services.documents.index(owner_id, document.id)
        document = await services.documents.get(owner_id, document.id)
        if document.status != "ready":
            raise SystemExit(f"{one.name}: {number} is {document.status}: {document.error_message or document.waiting_for}")
        documents[document.id] = number

    await _each(list(one.documents.items()), index)
    return documents


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    if content:
        yield content


def _others(one: PublicSet, sets: Sequence[PublicSet]) -> list[str]:
    questions = [question for other in sets if other.name != one.name for question in other.questions.values()]
    step = max(1, len(questions) // ALIENS)
    return questions[::step][:ALIENS]


async def _ask(services: Services, owner_id: UUID, documents: Mapping[UUID, str], asked: tuple[str, Mapping[str, float]]) -> Asked:
    question, grades = asked
    observed = await services.evaluation.observe(owner_id, question)
    if observed.degraded:
        raise SystemExit(f"A leg did not answer: {', '.join(observed.degraded)}.")
    rankings = {leg: list(dict.fromkeys(documents[hit.document_id] for hit in hits)) for leg, hits in observed.by_leg().items()}
    candidates = [
        Candidate(
            hit.chunk.chunk_id,
            documents[hit.document_id],
            hit.chunk.dense.score if hit.chunk.dense else None,
            hit.chunk.lexical.score if hit.chunk.lexical else None,
            hit.chunk.lexical.share if hit.chunk.lexical else 0.0,
        )
        for hit in observed.hits
    ]
    return Asked(grades, rankings, candidates, observed.refused)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
