"""What requests take that ask no model: ``python -m benchmarks.requests``.

The product, the bare FastAPI and the client are processes of their own. All kinds of requests are asked in turn, a few of each at a
time, ``--rounds`` times; the table has the medians of the rounds. Sign-ins come from eight connections at once in the storm, while
others ask for their account and their lists forty times a second.
"""

import argparse
import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from statistics import median
from time import perf_counter
from uuid import UUID, uuid4

import asyncpg
import uvloop

from backend.core.ids import new_id
from backend.db.engine import make_engine
from backend.db.uow import UnitOfWork
from benchmarks.processes import machine, running
from benchmarks.requests.client import Line, get
from benchmarks.requests.promises import Round, bare, p99, verdicts
from benchmarks.streams.__main__ import post
from benchmarks.verdicts import tell
from tests.support.product import PASSWORD, Account, Product, running_product

SIGNING_IN = 8
PACE_SECONDS = 0.025
AT_A_TIME = 25
MESSAGES = """
insert into messages (id, owner_id, session_id, role, content, status)
select id, $1, $2, case when place % 2 = 1 then 'user' else 'assistant' end, repeat('What is said in a message. ', 20), 'complete'
  from unnest($3::uuid[]) with ordinality as turns (id, place)
"""
CONNECTIONS = 64


class Asking:
    """What is asked, and by which connections."""

    def __init__(self, port: int, other: int, account: Account, session_id: str, database: asyncpg.Connection) -> None:
        token, api = account.access_token, "/api/v1"
        self.port, self._other, self.database = port, other, database
        self.sign_in = post(f"{api}/auth/login", port, {"username": account.username, "password": PASSWORD})
        self.requests = {
            "me": get(f"{api}/auth/me", port, token),
            "sessions": get(f"{api}/chat/sessions?limit=50", port, token),
            "documents": get(f"{api}/chat/documents?limit=50", port, token),
            "messages": get(f"{api}/chat/sessions/{session_id}/messages?limit=50", port, token),
        }

    async def in_a_row(self, times: int) -> dict[str, list[float]]:
        """Ask everything, one after the other, some of each in turn."""
        took: dict[str, list[float]] = {name: [] for name in ("round trip", "bare FastAPI", "sign-in", *self.requests)}
        request = get("/me", self._other)
        with closing(await Line.open(self.port)) as ours, closing(await Line.open(self._other)) as theirs:
            for _ in range(times):
                for _ in range(AT_A_TIME):
                    begun = perf_counter()
                    await self.database.fetchrow("select $1::text as name", "somebody")
                    took["round trip"].append((perf_counter() - begun) * 1000)
                took["bare FastAPI"] += [await theirs.timed(request) for _ in range(AT_A_TIME)]
                for name, asked in self.requests.items():
                    took[name] += [await ours.timed(asked) for _ in range(AT_A_TIME)]
                took["sign-in"] += [await ours.timed(self.sign_in) for _ in range(3)]
        return took

    async def paced(self, seconds: float) -> list[float]:
        """Ask for the account and the lists in turn, at a steady pace, and return how long each took from when it was due."""
        loop, took, idle = asyncio.get_running_loop(), list[float](), asyncio.Queue[Line]()
        kinds = list(self.requests.values())
        for _ in range(CONNECTIONS):
            idle.put_nowait(await Line.open(self.port))

        async def one(request: bytes, due: float) -> None:
            line = await idle.get()
            await line.ask(request)
            idle.put_nowait(line)
            took.append((loop.time() - due) * 1000)

        begun = loop.time()
        async with asyncio.TaskGroup() as asked:
            for number in range(int(seconds / PACE_SECONDS)):
                due = begun + number * PACE_SECONDS
                await asyncio.sleep(max(due - loop.time(), 0))
                asked.create_task(one(kinds[number % len(kinds)], due))
        while not idle.empty():
            idle.get_nowait().close()
        return took

    async def storm(self, seconds: float) -> tuple[list[float], float]:
        """Sign in from several connections at once; return what others took meanwhile, and the sign-ins of a second."""
        signed_in, over = 0, False

        async def one() -> None:
            nonlocal signed_in
            with closing(await Line.open(self.port)) as line:
                while not over:
                    await line.ask(self.sign_in)
                    signed_in += 1

        storming = [asyncio.create_task(one()) for _ in range(SIGNING_IN)]
        await asyncio.sleep(0.3)
        before, begun = signed_in, perf_counter()
        took = await self.paced(seconds)
        rate = (signed_in - before) / (perf_counter() - begun)
        over = True
        await asyncio.gather(*storming)
        return took, rate


async def main(rounds: int, times: int, seconds: float, rows: int) -> list[Round]:
    print(machine())
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="docent-requests-")))
        other = await stack.enter_async_context(running("benchmarks.requests.bare"))
        product = await stack.enter_async_context(running_product(folder / "data", chat_provider="extractive", embedder="hashing"))
        account = await stack.enter_async_context(product.account())
        session_id = await fill(product, account, rows)
        database = await stack.enter_async_context(connected(product))
        asking = Asking(int(product.url.rpartition(":")[2]), other.port, account, session_id, database)
        await asking.in_a_row(2)
        measured = []
        for _ in range(rounds):
            took = await asking.in_a_row(times)
            idle = await asking.paced(seconds)
            stormy, rate = await asking.storm(seconds)
            measured.append(Round(took, idle, stormy, rate))
    return measured


@asynccontextmanager
async def connected(product: Product) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(product.database_url().replace("+asyncpg", ""))
    yield connection
    await connection.close()


async def fill(product: Product, account: Account, rows: int) -> str:
    """Give an account so many documents, sessions, and messages in one of them, whose id comes back."""
    owner_id = UUID((await account.client.get("/api/v1/auth/me")).json()["id"])
    uow = UnitOfWork(make_engine(product.database_url(), pool_size=1))
    async with uow.of(owner_id) as tx:
        for number in range(rows):
            await tx.sessions.add(
                owner_id, session_id=(session_id := new_id()), title=f"Conversation {number}", document_ids=None, key_id=None
            )
            await tx.documents.add(
                owner_id,
                id=(document_id := new_id()),
                title=f"Notes {number}",
                filename=f"notes-{number}.txt",
                media_type="text/plain",
                size=1000,
                sha256=uuid4().hex * 2,
                blob_key=str(document_id),
            )
            await tx.documents.update(owner_id, document_id, status="failed", error_code="unreadable", error_message="It is empty.")
        turns = [new_id() for _ in range(rows)]
    await uow.aclose()
    async with connected(product) as database, database.transaction():
        await database.execute("select set_config('docent.owner_id', $1, true)", str(owner_id))
        await database.execute(MESSAGES, owner_id, session_id, turns)
    return str(session_id)


def show(rounds: Sequence[Round]) -> None:
    print("\n| asked in a row | p50 ms | p99 ms |\n|---|---|---|")
    for name in rounds[0].took:
        every = [each for one in rounds for each in one.took[name]]
        print(f"| {name} | {median(one.middle(name) for one in rounds):.2f} | {p99(every):.1f} |")
    print(f"| a round trip and a bare request together | {median(map(bare, rounds)):.2f} | |")
    print("\n| others, 40 a second | p50 ms | p99 ms | sign-ins a second |\n|---|---|---|---|")
    idle, stormy = ([p99(getattr(one, when)) for one in rounds] for when in ("idle", "stormy"))
    print(f"| in quiet | {median(median(one.idle) for one in rounds):.1f} | {median(idle):.1f} | |")
    rate = median(one.signed_in_per_second for one in rounds)
    print(f"| in a storm of sign-ins | {median(median(one.stormy) for one in rounds):.1f} | {median(stormy):.1f} | {rate:.0f} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.requests", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--times", type=int, default=12, help="how often each is asked in a round, 25 at a time")
    parser.add_argument("--seconds", type=float, default=5, help="of quiet, and of the storm")
    parser.add_argument("--rows", type=int, default=300, help="documents, sessions, and messages in one of them")
    parser.add_argument("--quick", action="store_true", help="in small: whether it works, not how fast it is")
    parser.add_argument("--verdicts", type=Path, help="append what was promised and measured to this file")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.rounds, chosen.times, chosen.seconds, chosen.rows = 1, 1, 0.5, 20
    found = uvloop.run(main(chosen.rounds, chosen.times, chosen.seconds, chosen.rows))
    show(found)
    tell(verdicts(found), chosen.verdicts)
