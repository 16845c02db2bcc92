"""What ``make demo`` runs: a server of its own, an account, some documents, three questions. It leaves nothing behind."""

import asyncio
import itertools
import json
import os
import re
import secrets
import signal
import sys
import tempfile
import textwrap
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

HERE = Path(__file__).resolve().parent
HOUSE = HERE.parent
DOCENT = Path(sys.executable).with_name("docent")

LIMIT_SECONDS = 240
STOP_SECONDS = 20
PAUSES = (0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2, 3)
"""Seconds between looks at the documents, then the same as the last: an account may send 60 requests a minute."""
MODEL_SETTINGS = ("CHAT_PROVIDER", "CHAT_MODEL", "EMBEDDER", "EMBEDDING_MODEL", "OLLAMA_URL")
QUESTIONS = (
    "Whom do I call when the dome is on fire?",
    "How many people work a night shift?",
    "What happens to a document when a worker is killed?",
)
COLOUR = sys.stdout.isatty()


class DemoError(Exception):
    """The demo cannot go on; the message says why."""


async def main() -> None:
    """Run the demo."""
    documents = [HERE / "handbook.pdf", HOUSE / "README.md", *sorted((HOUSE / "docs").glob("*.md"))]
    with tempfile.TemporaryDirectory(prefix="docent-demo-", ignore_cleanup_errors=True) as folder:
        async with running_server(Path(folder)) as address, aiohttp.ClientSession(f"{address}/api/v1/") as http:
            await sign_in(http)
            await upload(http, documents)
            await until_ready(http, len(documents))
            for question in QUESTIONS:
                await ask(http, question)
    print(f"\n{_bold('That was it.')} Start your own with {_bold('make run')}; README.md goes on from there.")


@asynccontextmanager
async def running_server(folder: Path) -> AsyncIterator[str]:
    """Run ``docent serve`` within the block, on a free port with a data folder of its own, and yield its address.

    Raises:
        DemoError: It did not start; the message holds the end of its log.
    """
    print(_bold("Starting a server with a temporary data folder ..."))
    # Only what chooses the models is passed on, and no .env is in that folder: the demo touches nobody's data.
    environment = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", *MODEL_SETTINGS) if name in os.environ
    }
    log = folder / "server.log"
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *(DOCENT, "serve", "--host", "127.0.0.1", "--port", "0", "--data-dir", folder / "data"),
            cwd=folder,
            env={**environment, "LOG_LEVEL": "warning", "UI_ENABLED": "false"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
    try:
        yield await _address(process, log)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.communicate(), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _address(process: asyncio.subprocess.Process, log: Path) -> str:
    assert process.stdout is not None  # noqa: S101 - it was asked for
    address = ""
    async for raw in process.stdout:
        line = raw.decode().strip()
        if found := re.search(r" is ready at (http://\S+)", line):
            address = found[1]
        if line.startswith(("Answers", "Embedder")):
            print(f"  {line}")
        if line.startswith("Stop"):
            return address
    raise DemoError(f"The server did not start:\n{_end_of(log)}")


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-20:])


async def sign_in(http: aiohttp.ClientSession) -> None:
    """Open an account, and send its token with every request from now on."""
    password = secrets.token_urlsafe(12)
    await _json(http, "POST", "auth/register", json={"username": "ada", "email": "ada@example.org", "password": password})
    token = await _json(http, "POST", "auth/token", data={"username": "ada", "password": password})
    http.headers["Authorization"] = f"Bearer {token['access_token']}"


async def upload(http: aiohttp.ClientSession, files: list[Path]) -> None:
    """Hand in the files."""
    print(_bold(f"\nUploading {len(files)} documents ..."))
    for file in files:
        form = aiohttp.FormData()
        form.add_field("file", file.read_bytes(), filename=file.name)
        document = await _json(http, "POST", "chat/upload", data=form)
        print(f"  {document['filename']:<20} {document['size']:>9,} bytes")


async def until_ready(http: aiohttp.ClientSession, expected: int) -> None:
    """Show how the indexing goes, until all is ready.

    Raises:
        DemoError: A document failed.
    """
    begun = time.perf_counter()
    shown = ""
    pauses = itertools.chain(PAUSES, itertools.repeat(PAUSES[-1]))
    while True:
        items = (await _json(http, "GET", "chat/documents?limit=100"))["items"]
        for item in items:
            if item["status"] == "failed":
                raise DemoError(f"{item['filename']} was not read: {item['error']['message']}")
        ready = sum(item["status"] == "ready" for item in items)
        line = f"  {'#' * ready}{'.' * (expected - ready)} {ready} of {expected} indexed"
        if line != shown:
            shown = line
            print(f"\r{line}" if COLOUR else line, end="" if COLOUR else "\n", flush=True)
        if ready == expected:
            break
        await asyncio.sleep(next(pauses))
    passages = sum(item["chunks"] for item in items)
    if COLOUR:
        print()
    print(f"  {passages} passages in {time.perf_counter() - begun:.1f} seconds")


async def ask(http: aiohttp.ClientSession, question: str) -> None:
    """Ask, and print the answer while it arrives, and then its sources.

    Raises:
        DemoError: The answer ended with an error.
    """
    print(f"\n{_bold('> ' + question)}")
    async with http.post("chat/query", json={"query": question, "stream": True}) as response:
        await _refuse_errors(response)
        async for event, data in _events(response):
            if event == "delta":
                print(data["text"], end="", flush=True)
            elif event == "error":
                raise DemoError(data["message"])
            elif event == "done":
                print()
                _print_outcome(data)


def _print_outcome(done: dict[str, Any]) -> None:
    for source in done["sources"]:
        if source["cited"]:
            place = f", page {source['page']}" if source["page"] else f", {source['heading']}" if source["heading"] else ""
            print(_dim(f"  [{source['marker']}] {source['title']}{place}, characters {source['start']} to {source['end']}"))
            quote = textwrap.shorten(source["quote"], 300, placeholder=" ...")
            print(_dim(textwrap.fill(f'"{quote}"', 96, initial_indent="      ", subsequent_indent="      ")))
    print(_dim(f"  {done['answer_status']}, {done['model']}, {done['timings']['total_ms']:.0f} ms"))


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Read server-sent events."""
    name = ""
    async for raw in response.content:
        field, _, value = raw.decode().rstrip("\n").partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)


async def _json(http: aiohttp.ClientSession, method: str, path: str, **body: Any) -> Any:  # noqa: ANN401 - JSON
    async with http.request(method, path, **body) as response:
        await _refuse_errors(response)
        return await response.json()


async def _refuse_errors(response: aiohttp.ClientResponse) -> None:
    if response.status >= 400:
        problem = await response.json(content_type=None)
        raise DemoError(f"{response.url.path} answered {response.status}: {problem.get('detail', problem)}")


def _bold(text: str) -> str:
    return f"\033[1m{text}\033[0m" if COLOUR else text


def _dim(text: str) -> str:
    return f"\033[2m{text}\033[0m" if COLOUR else text


async def _in_time() -> None:
    async with asyncio.timeout(LIMIT_SECONDS):
        await main()


if __name__ == "__main__":
    try:
        asyncio.run(_in_time())
    except KeyboardInterrupt:
        sys.exit(130)
    except (DemoError, OSError, aiohttp.ClientError) as error:
        late = isinstance(error, TimeoutError) and not str(error)
        sys.exit(f"\nThe demo failed: {f'it took more than {LIMIT_SECONDS} seconds' if late else error}")
