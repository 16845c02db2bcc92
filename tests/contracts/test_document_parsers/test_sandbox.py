"""What a hostile file, a slow one and an impatient caller cannot do."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from backend.adapters.document_parsers.sandbox import SandboxedDocumentParser
from backend.core.errors import BlobStoreUnavailableError, ParsingError
from backend.core.transactions import transaction_open
from tests.contracts.test_document_parsers.files import DOCX, HTML, MARKDOWN, TEXT, a_body, a_package, in_pieces, read

MEGABYTE = 1_000_000
CONFINED = "import os, sys, time; from backend.adapters.document_parsers.limits import confine; "
CONFINED += "confine(int(sys.argv[2]), int(sys.argv[3])); "


def running(script: str, **limits: int | float) -> SandboxedDocumentParser:
    """A parser whose child runs a script instead, under the same limits."""
    settings = {"timeout_seconds": 20, **limits}
    return SandboxedDocumentParser(command=(sys.executable, "-I", "-c", CONFINED + script), **settings)  # type: ignore[arg-type]


async def code_of(data: bytes, media_type: str, parser: SandboxedDocumentParser) -> str:
    with pytest.raises(ParsingError) as refusal:
        await read(data, media_type, parser)
    assert refusal.value.message.endswith(".")
    return refusal.value.code


def children(of: int | None = None) -> list[str]:
    pid = of or os.getpid()
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def ended(pid: str) -> bool:
    return not Path(f"/proc/{pid}").exists() or Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"


def confined(pid: str) -> bool:
    """Whether the child lowered its priority, which it does together with the limits."""
    return os.getpriority(os.PRIO_PROCESS, int(pid)) >= 10


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(3000):
        if condition():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it did not happen within half a minute")


@pytest.fixture(autouse=True)
def _no_process_stays() -> Iterator[None]:
    before = set(children())
    yield
    assert set(children()) <= before


async def test_a_large_file_comes_back_whole_while_it_is_still_fed() -> None:
    data = ("0123456789" * 9 + "\n").encode() * (MEGABYTE // 2)

    assert (await read(data, TEXT)).text == data.decode()


async def test_a_parser_that_never_ends_is_stopped() -> None:
    async with asyncio.timeout(30):
        assert await code_of(b"x", TEXT, running("time.sleep(600)", timeout_seconds=0.4)) == "parser_timeout"


async def test_one_that_burns_its_processor_time_is_stopped_by_the_kernel() -> None:
    burn = "import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 2))\nwhile True: pass"

    assert await code_of(b"x", TEXT, running(burn)) == "parser_timeout"


async def test_html_that_is_nested_without_end_does_not_hang_the_server() -> None:
    parser = SandboxedDocumentParser(timeout_seconds=1)

    assert await code_of(b"<div>" * 500_000 + b"deep", HTML, parser) == "parser_timeout"
    assert (await read(b"<div>" * 5000 + b"deep", HTML)).text == "deep"


async def test_xml_that_is_nested_without_end_is_refused() -> None:
    body = a_body("<w:sdt>" * 1900 + "<w:p/>" + "</w:sdt>" * 1900)

    assert await code_of(a_package({"word/document.xml": body}), DOCX, SandboxedDocumentParser()) in (
        "document_too_complex",
        "document_unreadable",
    )


async def test_a_file_that_needs_more_memory_than_allowed_says_so() -> None:
    parser = SandboxedDocumentParser(memory_bytes=150 * MEGABYTE, timeout_seconds=20)

    data = b"text\n" * (8 * MEGABYTE) + "😀".encode()  # One such character, and every character takes four bytes.

    assert await code_of(data, TEXT, parser) == "parser_out_of_memory"


async def test_a_small_word_document_of_many_paragraphs_cannot_eat_the_memory() -> None:
    packed = a_package({"word/document.xml": a_body("<w:p><w:r><w:t>a</w:t></w:r></w:p>" * 500_000)})
    parser = SandboxedDocumentParser(memory_bytes=200 * MEGABYTE, timeout_seconds=20)

    assert len(packed) < MEGABYTE // 4
    assert await code_of(packed, DOCX, parser) == "parser_out_of_memory"


async def test_html_of_many_elements_cannot_eat_the_memory() -> None:
    parser = SandboxedDocumentParser(memory_bytes=150 * MEGABYTE, timeout_seconds=20)

    assert await code_of(b"<p>text</p>" * MEGABYTE, HTML, parser) == "parser_out_of_memory"


async def test_a_child_that_the_kernel_kills_ran_out_of_memory() -> None:
    assert await code_of(b"x", TEXT, running("os.kill(os.getpid(), 9)")) == "parser_out_of_memory"


@pytest.mark.parametrize(
    "script", ["os.abort()", "sys.exit(3)", "print('nonsense')", 'print(\'{"size":9,"pages":[],"headings":[],"notes":[]}\')']
)
async def test_a_crash_is_a_sentence(script: str) -> None:
    assert await code_of(b"x" * 10 * MEGABYTE, TEXT, running(script)) == "parser_crashed"


async def test_an_answer_without_end_is_cut_off() -> None:
    script = "\nwhile True: os.write(1, b'x' * 65536)"

    assert await code_of(b"x", TEXT, running(script, output_bytes=MEGABYTE)) == "document_too_complex"


async def test_more_headings_than_the_server_can_hold_are_refused() -> None:
    assert await code_of(b"# a\n" * 200_001, MARKDOWN, SandboxedDocumentParser()) == "document_too_complex"


async def test_a_child_has_none_of_our_secrets_no_way_to_write_and_low_priority(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SECRET_KEY", "do not tell")
    script = f"path = {str(tmp_path / 'file')!r}"
    script += """
import errno, orjson
try:
    os.write(os.open(path, os.O_CREAT | os.O_WRONLY), b"x"); wrote = "wrote"
except OSError as error:
    wrote = errno.errorcode[error.errno]
text = f"{sorted(os.environ)} {wrote} {os.nice(0) >= 10} {os.getpgid(0) == os.getpid()} {os.getcwd()}".encode()
os.write(1, orjson.dumps({"size": len(text), "pages": [], "headings": [], "notes": []}) + b"\\n" + text)
"""
    parsed = await read(b"", TEXT, running(script))

    assert parsed.text == "['LC_ALL', 'OPENBLAS_NUM_THREADS', 'PATH'] EFBIG True True /"


async def test_cancelling_kills_the_child_and_waits_for_it() -> None:
    before = set(children())
    parsing = asyncio.create_task(read(b"x", TEXT, running("time.sleep(60)")))
    await until(lambda: bool(set(children()) - before))

    parsing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await parsing

    assert set(children()) == before


async def test_what_the_blob_store_raises_passes_through_and_no_part_is_read_as_the_whole() -> None:
    closed = []

    async def cut() -> AsyncIterator[bytes]:
        try:
            yield b"the first half"
            raise BlobStoreUnavailableError
        finally:
            closed.append(True)

    with pytest.raises(BlobStoreUnavailableError):
        await SandboxedDocumentParser().parse(cut(), TEXT)
    assert closed == [True]


async def test_waiting_for_the_file_is_not_the_documents_fault() -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"slow "
        await asyncio.sleep(1.5)
        yield b"store"

    assert (await SandboxedDocumentParser(timeout_seconds=1).parse(slow(), TEXT)).text == "slow store"


async def test_only_so_many_children_run_at_once() -> None:
    parser = running("time.sleep(0.3)\nsys.exit(1)", concurrency=2)
    before = set(children())
    parsings = [asyncio.create_task(code_of(b"x", TEXT, parser)) for _ in range(5)]
    most = 0
    while not all(parsing.done() for parsing in parsings):
        most = max(most, len(set(children()) - before))
        await asyncio.sleep(0.02)

    assert [await parsing for parsing in parsings] == ["parser_crashed"] * 5
    assert most == 2


async def test_a_child_dies_with_its_parent() -> None:
    script = (
        "import asyncio, sys; from backend.adapters.document_parsers.sandbox import SandboxedDocumentParser as P\n"
        "async def never():\n    yield b'x'\n    await asyncio.sleep(60)\n"
        "asyncio.run(P().parse(never(), 'text/plain'))"
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", script)
    await until(lambda: len(children(parent.pid)) == 1)
    (child,) = children(parent.pid)
    await until(lambda: confined(child))

    parent.kill()
    await parent.wait()

    await until(lambda: ended(child))


async def test_parsing_inside_a_transaction_is_a_defect() -> None:
    token = transaction_open.set(True)
    try:
        with pytest.raises(RuntimeError, match="parsing a document"):
            await SandboxedDocumentParser().parse(in_pieces(b"x"), TEXT)
    finally:
        transaction_open.reset(token)
