"""Reads every document in a process of its own, for a file can hang or crash its parser, or make it eat the machine's memory."""

import asyncio
import logging
import math
import os
import signal
import sys
from asyncio import StreamReader, StreamWriter, Timeout
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import suppress

from backend.adapters.document_parsers.formats import BY_EXTENSION, EXTENSIONS, SAVE_AS
from backend.adapters.document_parsers.reply import OUT_OF_MEMORY, decode
from backend.adapters.document_parsers.sniffing import advice, agrees, content_of
from backend.core.errors import DocumentTypeError, ParsingError
from backend.core.transactions import assert_no_transaction
from backend.ports.document_parser import ParsedDocument

logger = logging.getLogger(__name__)

CHILD = (sys.executable, "-I", "-m", "backend.adapters.document_parsers.child")
"""``-I`` keeps PYTHONPATH, the working directory and the user's site out, and finds an editable install and a wheel alike."""

_READ_BYTES = 1 << 18
_KEPT_VARIABLES = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PATH", "TESSDATA_PREFIX")
"""Pythons that are built on a shared library do not start without the first two, and the others lead to tesseract and its data.
Nothing else of our environment is passed on."""

_MESSAGES = {
    "parser_timeout": "Reading the document took too long. Split it into smaller files, or save it anew and upload that.",
    "parser_out_of_memory": "Reading the document takes more memory than this server allows. Split it into smaller files.",
    "parser_crashed": "The document made its reader crash: it is damaged or unusual. Save it anew and upload that.",
    "document_too_complex": "The document holds more text than this server reads. Split it into several files.",
}


class SandboxedDocumentParser:
    """Reads documents in child processes with limits.

    A child gets ``memory_bytes`` of address space and ``timeout_seconds`` from the moment that it has the whole file (waiting for
    the next piece of it does not count), and may answer ``output_bytes``. At most ``concurrency`` run at once; others wait.
    """

    def __init__(
        self,
        *,
        memory_bytes: int = 1 << 30,
        timeout_seconds: float = 120,
        output_bytes: int = 200_000_000,
        concurrency: int = 1,
        command: Sequence[str] = CHILD,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._output_bytes = output_bytes
        self._limits = (str(memory_bytes), str(math.ceil(timeout_seconds)))
        self._slots = asyncio.Semaphore(concurrency)
        self._command = tuple(command)

    def media_type(self, filename: str, head: bytes) -> str:
        """See ``DocumentParser.media_type``."""
        extension = os.path.splitext(filename.strip())[1].lower()
        row = BY_EXTENSION.get(extension)
        if row is None and extension in SAVE_AS:
            message = f"Files with the extension {extension} are not supported. Save it as {SAVE_AS[extension]}, and upload that."
            raise DocumentTypeError(message)
        if row is None:
            raise DocumentTypeError(f"Files with this extension are not supported. Supported are {EXTENSIONS}.")
        content = content_of(head)
        if agrees(row, content, head):
            return row.media_type
        name = f"The file's name says {row.phrase}" if extension else "The file's name has no extension"
        raise DocumentTypeError(f"{name}, but its content seems to be {content.phrase}. {advice(content)}")

    async def parse(self, pieces: AsyncIterator[bytes], media_type: str) -> ParsedDocument:
        """See ``DocumentParser.parse``. What ``pieces`` raises passes through; a cancelled call leaves no process behind."""
        assert_no_transaction("parsing a document")
        async with self._slots:
            process = await asyncio.create_subprocess_exec(
                *self._command, media_type, *self._limits,
                stdin=PIPE, stdout=PIPE, stderr=DEVNULL, cwd="/", env=_environment(), start_new_session=True,
            )  # fmt: skip
            assert process.stdin is not None  # noqa: S101 - both pipes were asked for
            assert process.stdout is not None  # noqa: S101
            deadline = asyncio.timeout(None)
            feeding = asyncio.create_task(self._feed(process, process.stdin, pieces, deadline))
            try:
                async with deadline:
                    output = await self._read(process.stdout)
                    if feeding.done():  # Otherwise the child died before it had read everything, and its status tells why.
                        await feeding
                    status = await process.wait()
            except TimeoutError as error:
                if not deadline.expired():
                    raise
                raise _refusal("parser_timeout") from error
            finally:
                _kill(process)
                feeding.cancel()
                await asyncio.gather(feeding, return_exceptions=True)
                await _drain(process.stdout)
                await process.wait()
        return _answer(output, status)

    async def _feed(self, process: Process, stdin: StreamWriter, pieces: AsyncIterator[bytes], deadline: Timeout) -> None:
        now = asyncio.get_running_loop().time
        try:
            async for piece in pieces:
                deadline.reschedule(now() + self._timeout_seconds)
                stdin.write(piece)
                try:
                    await stdin.drain()
                except (BrokenPipeError, ConnectionResetError):
                    break  # The child is dead; its status tells why.
                deadline.reschedule(None)
            deadline.reschedule(now() + self._timeout_seconds)
        except BaseException:
            _kill(process)  # A part of a file must not be read as the whole.
            raise
        finally:
            stdin.close()
            if isinstance(pieces, AsyncGenerator):
                await pieces.aclose()

    async def _read(self, stdout: StreamReader) -> bytearray:
        output = bytearray()
        while piece := await stdout.read(_READ_BYTES):
            output += piece
            if len(output) > self._output_bytes:
                raise _refusal("document_too_complex")
        return output


def _answer(output: bytearray, status: int) -> ParsedDocument:
    if status in (OUT_OF_MEMORY, -signal.SIGKILL):
        raise _refusal("parser_out_of_memory")
    if status == -signal.SIGXCPU:
        raise _refusal("parser_timeout")
    try:
        return decode(output)
    except ParsingError as refusal:
        if refusal.code != "parser_crashed":
            raise
        logger.warning("a document parser crashed: %s", refusal.details["cause"])
        raise _refusal("parser_crashed") from refusal
    except (ValueError, TypeError) as error:
        logger.warning("a document parser crashed: its exit status is %d", status)
        raise _refusal("parser_crashed") from error


def _refusal(code: str) -> ParsingError:
    return ParsingError(_MESSAGES[code], code=code)


def _environment() -> dict[str, str]:
    return {"LC_ALL": "C.UTF-8"} | {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}


def _kill(process: Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


async def _drain(stdout: StreamReader) -> None:
    """Read what a killed child left behind: a pipe that is not read to its end is never closed."""
    while await stdout.read(_READ_BYTES):
        pass
