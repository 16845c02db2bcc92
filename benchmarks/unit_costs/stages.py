"""The stages: people, pages, documents, answers, streams, Redis."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from backend.adapters.limiters.redis import RedisLimiter
from backend.adapters.relays.redis import RedisRelay
from backend.core.ids import new_id
from backend.ports.relay import Relayed
from benchmarks.unit_costs.figures import Figures
from benchmarks.unit_costs.place import Place, a_few_at_once
from benchmarks.unit_costs.processes import disk, memory
from tests.support.events import events_of
from tests.support.files import long_text
from tests.support.product import PASSWORD, Account

if TYPE_CHECKING:
    from benchmarks.unit_costs.measuring import Sizes

PAGES = ("/api/v1/auth/me", "/api/v1/chat/sessions", "/api/v1/chat/documents")
VIEWS = 3
SHORT, LONG = 5, 205
SMALL_DOCUMENT = 40
AT_FIRST = 8
INDEXED = {"documents", "document_texts", "chunks", "chunk_vectors", "lexemes", "corpus_sizes", "index_generations"}
WARMING = 8
PIECES = 200
PIECE = '{"text": "word "}'
POOL = 10
"""What DATABASE_POOL_SIZE is unless it is set."""
QUESTION = "What property does subject 7 have, what does it weigh, and when was it catalogued?"


async def all_of_them(place: Place, sizes: "Sizes") -> Figures:
    """Measure everything."""
    figures = Figures()
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(place.product.account("first"))
        await _uploaded(place, first, 5)
        await _asked(place, first, SHORT)
        await place.rest(sizes.idle_seconds)
        figures.cpu["a second idle"] = place.idle
        people: list[Account] = []

        async def join(_: int) -> None:
            people.append(await stack.enter_async_context(place.product.account("one")))

        cost = await place.cost(a_few_at_once(join, range(sizes.users)))
        figures.postgres_user = cost.bytes / sizes.users
        figures.tables["user"] = cost.by_table(sizes.users)
        await _people(place, people, figures)
        await _documents(place, people, first, sizes, figures)
        await _answers(place, people, figures)
        await _connections(place, figures)
        figures.api_memory, figures.worker_memory = memory(place.pids["api"]), memory(place.pids["worker"])
        await _streams(place, people, sizes, figures)
        await _limits(place, sizes, figures)
        await _relayed(place, sizes, figures)
    return figures


async def _people(place: Place, people: list[Account], figures: Figures) -> None:
    async def sign_in(one: Account) -> None:
        body = {"username": one.username, "password": PASSWORD}
        (await one.client.post("/api/v1/auth/login", json=body)).raise_for_status()

    cost = await place.cost(a_few_at_once(sign_in, people))
    figures.cpu["a sign-in"] = cost.each(len(people))
    figures.wal_sign_in = cost.written / len(people)

    async def look(one: Account) -> None:
        for page in PAGES * VIEWS:
            (await one.client.get(page)).raise_for_status()

    cost = await place.cost(a_few_at_once(look, people))
    figures.cpu["a request for a page"] = cost.each(len(people) * len(PAGES) * VIEWS)


async def _documents(place: Place, people: list[Account], first: Account, sizes: "Sizes", figures: Figures) -> None:
    """Many small ones of as many people, then a large one: what is left of the small after their passages is a document's."""
    text = long_text(SMALL_DOCUMENT)
    stored, vectors, held = disk(place.files), disk(place.chroma), memory(place.pids["chroma"])

    async def upload(one: Account) -> int:
        return await _uploaded(place, one, SMALL_DOCUMENT)

    passages = await upload(people[0])
    await asyncio.sleep(1)
    small = await place.cost(a_few_at_once(upload, people[1:]))
    figures.files_document = (disk(place.files) - stored) / len(people) - len(text)
    small_disk, small_memory = disk(place.chroma) - vectors, memory(place.pids["chroma"]) - held
    vectors, held = disk(place.chroma), memory(place.pids["chroma"])
    counted: list[int] = []

    async def upload_the_large_one() -> None:
        counted.append(await _uploaded(place, first, sizes.large_document))

    large = await place.cost(upload_the_large_one())
    many, count = counted[0], len(people) - 1

    def share(of_small: float, of_large: float, number: int = count) -> tuple[float, float]:
        """Return what a document costs, and what a passage does."""
        passage = (of_large - of_small / number) / (many - passages)
        return max(0.0, of_small / number - passage * passages), max(0.0, passage)

    figures.postgres_document, figures.postgres_passage = share(small.bytes, large.bytes)
    figures.wal_document, figures.wal_passage = share(small.written, large.written)
    figures.tables["passage"] = large.by_table(many)
    each = {name: share(small.cpu[name], large.cpu[name]) for name in place.pids}
    figures.cpu["a document"] = {name: document for name, (document, _) in each.items()}
    figures.cpu["a passage"] = {name: passage for name, (_, passage) in each.items()}
    new_disk, new_memory = disk(place.chroma) - vectors, memory(place.pids["chroma"]) - held
    figures.chroma_disk_collection, figures.chroma_disk_vector = share(small_disk, new_disk, len(people))
    figures.chroma_memory_collection, figures.chroma_memory_vector = share(small_memory, new_memory, len(people))


async def _answers(place: Place, people: list[Account], figures: Figures) -> None:
    async def short(one: Account) -> None:
        await _asked(place, one, SHORT)

    async def long(one: Account) -> None:
        await _asked(place, one, LONG, resumable=True)

    await a_few_at_once(short, people[:AT_FIRST])
    small = await place.cost(a_few_at_once(short, people))
    large = await place.cost(a_few_at_once(long, people))
    tokens = len(people) * (LONG - SHORT)
    figures.cpu["an answer"] = small.each(len(people))
    figures.cpu["a token"] = {name: max(0.0, large.cpu[name] - spent) / tokens for name, spent in small.cpu.items()}
    figures.wal_answer = small.written / len(people)
    # The index of words takes up what was indexed before only now and then, so `chunks` may grow here as well.
    figures.tables["answer"] = {name: size for name, size in small.by_table(len(people)).items() if name not in INDEXED}
    figures.postgres_answer = sum(figures.tables["answer"].values())


async def _connections(place: Place, figures: Figures) -> None:
    """Count them. Those of the pools grow up to DATABASE_POOL_SIZE with what is asked; the others are always there."""
    connected = await place.database.connected()
    queue = sum(connected.values()) - connected["docent"] - connected["docent answers"]
    # Both processes hear of stops, and only the worker has the queue's connections.
    listening = connected["docent answers"] / 2
    figures.api_connections, figures.worker_connections = POOL + listening, POOL + listening + queue


async def _streams(place: Place, people: list[Account], sizes: "Sizes", figures: Figures) -> None:
    """Open many, a few at once, until all are open. Some others before them warm up: what is freed is kept for the next."""
    place.ollama.reply, place.ollama.interval = ["word "] * 4000, 1.0
    for streams in (WARMING, sizes.streams):
        before = memory(place.pids["api"])
        async with AsyncExitStack() as stack:

            async def begin(number: int, into: AsyncExitStack = stack) -> None:
                await into.enter_async_context(_begun_stream(people[number % len(people)]))

            await a_few_at_once(begin, range(streams))
            figures.api_memory_stream = max(0, memory(place.pids["api"]) - before) / streams
        await asyncio.sleep(3)


@asynccontextmanager
async def _begun_stream(one: Account) -> AsyncIterator[None]:
    """Hold an answer open that has said its first word."""
    body = {"query": QUESTION, "stream": True}
    async with one.client.stream("POST", "/api/v1/chat/query", json=body, timeout=600) as response:
        response.raise_for_status()
        async for event in events_of(response):
            if event.name == "delta":
                break
        yield


async def _limits(place: Place, sizes: "Sizes", figures: Figures) -> None:
    before = await place.redis_bytes()
    limiter = RedisLimiter(place.redis_url)
    try:
        for _ in range(sizes.limited):
            subject = str(new_id())
            for rule, seconds in (("requests_per_minute", 60), ("failed_sign_ins_of_account", 300)):
                await limiter.take(rule, subject, limit=100, seconds=seconds)
            await limiter.enter("running_answers", subject, limit=5, lease_seconds=600)
    finally:
        await limiter.aclose()
    figures.redis_user = (await place.redis_bytes() - before) / sizes.limited


async def _relayed(place: Place, sizes: "Sizes", figures: Figures) -> None:
    """What an answer leaves in Redis that somebody reads through another process: only those are relayed."""
    before = await place.redis_bytes()
    relay = RedisRelay(place.redis_url)
    try:
        for _ in range(sizes.limited // 10):
            turn_id = new_id()
            for number in range(1, PIECES + 1):
                await relay.publish(turn_id, [Relayed(number - 1, number, PIECE)])
    finally:
        await relay.aclose()
    figures.redis_stream_token = (await place.redis_bytes() - before) / (sizes.limited // 10 * PIECES)


async def _uploaded(place: Place, one: Account, paragraphs: int) -> int:
    """Upload a document, wait without asking the API until it is ready, and return how many passages it has."""
    topic = f"subject of {one.username[-4:]}"
    document = (await one.upload(f"{paragraphs}.md", long_text(paragraphs, topic))).raise_for_status().json()
    return await place.database.ready(document["id"])


async def _asked(place: Place, one: Account, tokens: int, *, resumable: bool = False) -> None:
    place.ollama.reply, place.ollama.interval = ["word "] * (tokens - 1) + ["[1]"], 0.02
    body = {"query": QUESTION, "stream": True, "resumable": resumable}
    async with one.client.stream("POST", "/api/v1/chat/query", json=body) as response:
        response.raise_for_status()
        names = [event.name async for event in events_of(response)]
    if names[-1] != "done":
        message = f"an answer ended with {names[-1]}"
        raise RuntimeError(message)
