"""Whatever is uploaded, the server answers with a text or a sentence: in time, in its memory, and without asking anybody."""

import asyncio
import os
import resource
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from itertools import chain, count, takewhile
from pathlib import Path

import pytest

from backend.adapters.document_parsers.sandbox import SandboxedDocumentParser
from backend.core.errors import DocumentTypeError, ParsingError
from backend.ports.document_parser import ParsedDocument
from tests.contracts.test_document_parsers import office_files
from tests.security.hostile import HIDDEN, SECRET, Attack, crafted, flipped, truncated
from tests.support.pace import processor_seconds

MEGABYTE = 1_000_000
TIMEOUT_SECONDS = 5
MANY_TIMES = 500
CODES = {
    "document_unreadable", "document_encrypted", "document_without_text", "parser_timeout", "parser_out_of_memory",
    "parser_crashed", "document_too_complex",
}  # fmt: skip
NOMINAL = {
    ".pdf": "application/pdf",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".html": "text/html",
    ".md": "text/markdown",
    ".txt": "text/plain",
    ".xlsx": office_files.XLSX,
    ".xls": office_files.XLS,
    ".ods": office_files.ODS,
    ".pptx": office_files.PPTX,
    ".odt": office_files.ODT,
    ".epub": office_files.EPUB,
}
FUZZ_SECONDS = float(os.environ.get("DOCENT_FUZZ_SECONDS", "0"))


def a_parser() -> SandboxedDocumentParser:
    return SandboxedDocumentParser(
        memory_bytes=256 * MEGABYTE, timeout_seconds=TIMEOUT_SECONDS, output_bytes=16 * MEGABYTE, concurrency=2
    )


def once_over() -> int:
    """Look once at as many bytes as a type is told from."""
    return sum(1 for _ in bytes(8192))


async def in_pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), MEGABYTE):
        yield data[start : start + MEGABYTE]


def refusal_of_type(parser: SandboxedDocumentParser, filename: str, data: bytes) -> DocumentTypeError | None:
    try:
        assert parser.media_type(filename, data[:8192]) == NOMINAL[Path(filename).suffix]
    except DocumentTypeError as refusal:
        return refusal
    return None


async def outcome_of(parser: SandboxedDocumentParser, filename: str, data: bytes) -> ParsedDocument | ParsingError:
    """Tell the type of a file and parse it, even if the type was refused; whatever comes out is checked."""
    refused = refusal_of_type(parser, filename, data)
    telling = processor_seconds(lambda: refusal_of_type(parser, filename, data))
    assert telling < MANY_TIMES * processor_seconds(once_over), "telling the type stops the server"
    assert refused is None or refused.message.endswith(".")
    try:
        outcome: ParsedDocument | ParsingError = await parser.parse(in_pieces(data), NOMINAL[Path(filename).suffix])
    except ParsingError as refusal:
        outcome = refusal
    if isinstance(outcome, ParsedDocument):
        check_text(outcome)
    else:
        assert outcome.code in CODES
        assert outcome.message.endswith(".")
        assert HIDDEN not in outcome.message
    return outcome


def check_text(parsed: ParsedDocument) -> None:
    assert parsed.text.strip()
    assert "\0" not in parsed.text
    assert HIDDEN not in parsed.text
    assert SECRET not in parsed.text
    parsed.text.encode()
    ends = [0, *(page.end for page in parsed.pages)]
    assert all(end <= page.start <= page.end <= len(parsed.text) for end, page in zip(ends, parsed.pages, strict=False))
    assert all(0 <= heading.start < len(parsed.text) and heading.text for heading in parsed.headings)


def children() -> set[str]:
    return set(Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split())


def resident_megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / MEGABYTE


@pytest.fixture(autouse=True)
def _no_process_stays() -> Iterator[None]:
    before = children()
    yield
    assert children() <= before


@pytest.fixture(scope="module")
def trap() -> Iterator[socket.socket]:
    """A server on loopback that nobody must call."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


@pytest.mark.parametrize("attack", [pytest.param(attack, id=attack.name) for attack in crafted()])
async def test_a_hostile_file_is_read_or_refused_with_a_sentence(attack: Attack, trap: socket.socket) -> None:
    data = attack.forge(f"http://127.0.0.1:{trap.getsockname()[1]}")
    before = resident_megabytes()

    async with asyncio.timeout(12 * TIMEOUT_SECONDS):  # There are files that would be read for ever.
        await outcome_of(a_parser(), attack.filename, data)

    assert resident_megabytes() - before < 50
    with pytest.raises(BlockingIOError):
        trap.accept()


async def run_through(parser: SandboxedDocumentParser, attacks: Iterable[Attack]) -> None:
    waiting = iter(attacks)

    async def work() -> None:
        for attack in waiting:
            outcome = await outcome_of(parser, attack.filename, attack.forge(""))
            # A defect of ours is a crash with an exception; PDFium ends its process by itself when something is odd.
            crashed = isinstance(outcome, ParsingError) and outcome.code == "parser_crashed"
            assert not crashed or attack.filename.endswith(".pdf"), attack.name

    await asyncio.gather(work(), work())


@pytest.mark.parametrize(("damaged", "seeds"), [(truncated, 20), (flipped, 50)])
async def test_files_that_are_cut_or_overwritten_anywhere_are_read_or_refused(
    damaged: Callable[[int], Iterator[Attack]], seeds: int
) -> None:
    await run_through(a_parser(), (attack for seed in range(seeds) for attack in damaged(seed)))


@pytest.mark.skipif(not FUZZ_SECONDS, reason="runs for as long as DOCENT_FUZZ_SECONDS says")
@pytest.mark.timeout(FUZZ_SECONDS + 60)
async def test_it_goes_on_for_as_long_as_one_likes() -> None:
    end = time.monotonic() + FUZZ_SECONDS
    seeds = takewhile(lambda _: time.monotonic() < end, count(int(time.time())))

    await run_through(a_parser(), (attack for seed in seeds for attack in chain(truncated(seed), flipped(seed))))
