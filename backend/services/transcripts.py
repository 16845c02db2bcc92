"""Conversations as files: as JSON, and as Markdown to read."""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import asdict
from typing import Literal, TypeAlias

import orjson

from backend.core.values.chat import ChatSession, Message, Source
from backend.core.values.page import Cursor
from backend.db.uow import UnitOfWork
from backend.rag.citations.scanning import Scanner
from backend.rag.neutralising import Neutraliser

AT_ONCE = 100
"""Messages of one transaction."""

Form: TypeAlias = Literal["json", "md"]

# What begins anything in the middle of a line, addresses that renderers make links of by themselves included.
_MARKUP = re.compile(r"[\\`*_\[\]{}<>~&$|@#]|:(?=//)|(?<=www)\.", re.IGNORECASE)


async def told(uow: UnitOfWork, session: ChatSession) -> AsyncIterator[Message]:
    """Yield the messages of a conversation, oldest first, with their sources and with answers that are superseded.

    They are read in parts. Where the conversation is deleted meanwhile, they end.
    """
    after: Cursor | None = None
    while True:
        async with uow.of(session.owner_id) as tx:
            page = await tx.messages.page(session.owner_id, session.id, limit=AT_ONCE, after=after, superseded=True)
        for message in page.items:
            yield message
        after = page.next_cursor
        if after is None:
            return


async def as_json(session: ChatSession, messages: AsyncIterator[Message]) -> AsyncIterator[bytes]:
    """Yield a conversation as JSON, with all that is known of it and everything as it was written."""
    head = {name: value for name, value in asdict(session).items() if name != "owner_id"}
    yield encoded(head).removesuffix(b"\n}") + b',\n  "messages": '
    async for piece in listed(messages):
        yield piece
    yield b"}\n"


async def as_markdown(session: ChatSession, messages: AsyncIterator[Message]) -> AsyncIterator[bytes]:
    """Yield a conversation as it goes on, without what is superseded, as Markdown; what answers cite are footnotes.

    Whatever was said stands within quotations, and nothing of it, of titles or of quotes becomes a heading, a link, an image or
    HTML of the file.
    """
    yield f"# {_in_line(session.title)}\n".encode()
    if session.model is not None:
        yield f"\nModel: {_in_line(session.model)}\n".encode()
    answers = 0
    async for message in messages:
        if message.superseded:
            continue
        answers += message.role == "assistant"
        yield _section(message, answers).encode()


WRITERS: Mapping[Form, Callable[[ChatSession, AsyncIterator[Message]], AsyncIterator[bytes]]] = {"json": as_json, "md": as_markdown}


async def listed(items: AsyncIterator[object]) -> AsyncIterator[bytes]:
    """Yield a JSON list, an item at a time."""
    separator = b"["
    async for item in items:
        yield separator + b"\n" + encoded(item)
        separator = b","
    yield b"[]\n" if separator == b"[" else b"\n]\n"


def encoded(value: object) -> bytes:
    """Return a value as JSON to read."""
    # The driver's ids are a class of their own, which the library does not know.
    return orjson.dumps(value, default=str, option=orjson.OPT_INDENT_2)


def _section(message: Message, number: int) -> str:
    """Return a question, or the answer of this number with its footnotes."""
    neutraliser = Neutraliser()
    content = neutraliser.feed(message.content) + neutraliser.finish()
    moment = f"{message.created_at:%Y-%m-%d %H:%M} UTC"
    if message.role == "user":
        return f"\n## Question, {moment}\n\n{_quotation(content)}\n"
    cited = {source.marker: source for source in message.sources if source.cited}
    names = {marker: f"[^{number}-{marker}]" for marker in cited}
    status = ", ".join(filter(None, (message.status, message.answer_status)))
    notes = "".join(f"\n{names[marker]}: {_note(source)}\n" for marker, source in cited.items())
    return f"\n## Answer, {moment}\n\n{_quotation(_renamed(content, names))}\n\nStatus: {status}\n{notes}"


def _renamed(answer: str, names: Mapping[int, str]) -> str:
    """Return an answer with these names instead of its markers."""
    scanner = Scanner()
    parts = [*scanner.feed(answer), *scanner.finish()]
    found = ([names.get(number) for number in part.numbers] for part in parts)
    return "".join(
        "".join(filter(None, new)) if new and None not in new else part.text for part, new in zip(parts, found, strict=True)
    )


def _note(source: Source) -> str:
    """Return what a footnote says. Its first two words keep readers that know no footnotes from taking it for a link's target."""
    page = "" if source.page is None else f", page {source.page}"
    place = f"characters {source.start} to {source.end} of document {source.document_id}"
    return f"Quoted from {_in_line(source.title)}{page} ({place}): “{_in_line(source.quote)}”"


def _quotation(text: str) -> str:
    return "\n".join(f"> {line}" if line else ">" for line in text.split("\n"))


def _in_line(text: str) -> str:
    return _MARKUP.sub(r"\\\g<0>", " ".join(text.split()))
