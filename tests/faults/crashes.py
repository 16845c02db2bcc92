"""What the tests of crashes look at: the processes of a product, and its database."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import asyncpg

from backend.core.config import plain_url
from tests.support.product import Account


def processes_below(pid: int) -> dict[int, str]:
    """Return the ids and command lines of all descendants of a process."""
    children: dict[int, list[int]] = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            children.setdefault(int((place / "stat").read_text().rsplit(")", 1)[1].split()[1]), []).append(int(place.name))
        except OSError:
            continue
    found: dict[int, str] = {}
    waiting = [pid]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            waiting.append(child)
            try:
                found[child] = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
    return found


def still_running(pids: Iterable[int]) -> list[int]:
    """Return those of the processes that have not ended."""
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def kill_below(pid: int, is_it: Callable[[str], bool]) -> int:
    """Kill -9 the first descendant whose command line is the one that is meant, and return its id; 0 if there is none now."""
    for child, command in processes_below(pid).items():
        if "watcher.py" not in command and is_it(command):
            os.kill(child, signal.SIGKILL)
            return child
    return 0


async def watched(
    account: Account, document_id: str, until: Callable[[dict[str, Any]], bool], *, within: float = 30
) -> dict[str, Any]:
    """Return a document once something is true of it, which has to be before it is ready or failed."""
    deadline = monotonic() + within
    while not until(document := await account.document(document_id)):
        assert document["status"] in {"pending", "processing"}, document
        assert monotonic() < deadline, f"still {document} after {within} s"
        await asyncio.sleep(0.02)
    return document


async def at_progress(account: Account, document_id: str, share: float) -> dict[str, Any]:
    """Return a document once so much of it is indexed."""
    return await watched(account, document_id, lambda d: 0 < d["progress"]["total"] * share <= d["progress"]["done"])


async def at_attempt(data_dir: Path, document_id: str, number: int, *, within: float = 30) -> None:
    """Return once this attempt at a document has begun."""
    deadline = monotonic() + within
    async with database_of(data_dir) as db:
        while (attempts := await db.fetchval("select attempts from documents where id = $1", document_id)) < number:
            assert monotonic() < deadline, f"still {attempts} attempts after {within} s"
            await asyncio.sleep(0.02)


def report(line: str) -> None:
    """Show a measurement, with ``pytest -s`` or beside a failure."""
    sys.stdout.write(f"\n{line}\n")


@asynccontextmanager
async def database_of(data_dir: Path) -> AsyncIterator[asyncpg.Connection]:
    """Yield a connection to the embedded database that sees every row."""
    url = json.loads((data_dir / "instance.json").read_text())["app_url"]
    connection = await asyncpg.connect(plain_url(url))
    try:
        await connection.execute("select set_config('docent.mode', 'system', false)")
        yield connection
    finally:
        await connection.close()


async def assert_stored_once(data_dir: Path, document: dict[str, Any]) -> None:
    """Check that its owner's only document is stored once: one row, chunks without gaps, a vector for each, all counted once."""
    chunks = document["chunks"]
    async with database_of(data_dir) as db:
        owner = await db.fetchval("select owner_id from documents where id = $1", document["id"])
        assert await db.fetchval("select count(*) from documents where owner_id = $1", owner) == 1
        rows = await db.fetch("select ordinal from chunks where owner_id = $1 order by ordinal", owner)
        assert [row["ordinal"] for row in rows] == list(range(chunks))
        assert await db.fetchval("select count(*) from chunk_vectors where owner_id = $1", owner) == chunks
        sizes = await db.fetchrow("select chunks, total_length from corpus_sizes where owner_id = $1", owner)
        assert tuple(sizes) == (chunks, await db.fetchval("select sum(length) from chunks where owner_id = $1", owner))
        assert await db.fetchval("select max(frequency) from lexemes where owner_id = $1", owner) == chunks


async def assert_found(account: Account, subject: int) -> None:
    """Check that a question about one paragraph of ``long_text`` is answered from it."""
    answer = (await account.ask(f"How many grams does subject {subject} weigh?")).json()
    assert answer["answer_status"] == "grounded", answer
    assert any(f"subject {subject}" in source["quote"] for source in answer["sources"]), answer
