"""PgBouncer in front of PostgreSQL, pooling transactions: many connections of ours over three of the server's."""

import asyncio
from pathlib import Path

import asyncpg

from backend.core.config import plain_url
from tests.support.cluster import Cluster
from tests.support.files import WHALES, long_text
from tests.support.ollama import StandInOllama
from tests.support.pooler import pooled
from tests.support.product import Product, run_docent, running_product

SERVERS = 3
PEOPLE = 4


async def served(product: Product, number: int) -> None:
    """Register, upload, ask, and see nothing of the others."""
    async with product.account(f"person-{number}") as somebody:
        document = (await somebody.upload(f"notes-{number}.md", WHALES + long_text(4, f"matter {number} of"))).json()
        assert (await somebody.settled(document["id"], within=120))["status"] == "ready"
        for _ in range(2):
            answer = (await somebody.ask("What do blue whales eat?")).raise_for_status().json()
            assert answer["sources"]
            assert {source["document_id"] for source in answer["sources"]} == {document["id"]}


async def test_everything_works_through_a_pooler_with_fewer_connections_than_ours(cluster: Cluster, tmp_path: Path) -> None:
    async with (
        StandInOllama() as ollama,
        cluster.database() as database,
        pooled(plain_url(database.app_url), servers=SERVERS) as url,
        running_product(
            tmp_path / "data",
            database_url=url,
            database_direct_url=plain_url(database.app_url),
            database_owner_url=plain_url(database.owner_url),
            chroma_url=cluster.chroma_url,
            database_pool_size=12,
            chat_provider="ollama",
            ollama_url=ollama.url,
            embedder="hashing",
            ui_enabled=False,
        ) as product,
    ):
        await asyncio.gather(*(served(product, number) for number in range(PEOPLE)))
        code, told = await run_docent(product, "check")
        assert (code, "Defects: 0" in told) == (0, True), told
        code, told = await run_docent(product, "backup", str(tmp_path / "docent.tar"))
        assert code == 0, told
        code, told = await run_docent(product, "doctor", "--json")
        assert code == 0, told
        code, told = await run_docent(product, "doctor", DATABASE_DIRECT_URL="")
        assert (code, "DATABASE_DIRECT_URL" in told) == (1, True), told
        async with product.account("stopper") as somebody:
            await stops(product, ollama, somebody.access_token)
        connection = await asyncpg.connect(plain_url(database.app_url))
        try:
            pooled_ones = await connection.fetchval(
                "select count(*) from pg_stat_activity where datname = current_database() and application_name = 'docent'"
            )
        finally:
            await connection.close()
        assert pooled_ones <= SERVERS


async def stops(product: Product, ollama: StandInOllama, token: str) -> None:
    """A stop is told through LISTEN, which needs a session."""
    ollama.reply, ollama.interval = "word " * 2000, 0.05
    async with product.client(Authorization=f"Bearer {token}") as client:
        session = (await client.post("/api/v1/chat/sessions", json={})).raise_for_status().json()["id"]
        asking = asyncio.create_task(client.post("/api/v1/chat/query", json={"query": "Talk.", "session_id": session}))
        async with asyncio.timeout(60):
            while True:
                messages = (await client.get(f"/api/v1/chat/sessions/{session}/messages")).json()["items"]
                said = [message for message in messages if message["role"] == "assistant"]
                if said:
                    break
                await asyncio.sleep(0.05)
            (await client.post(f"/api/v1/chat/sessions/{session}/messages/{said[0]['id']}/stop")).raise_for_status()
            assert (await asking).json()["status"] == "stopped"
