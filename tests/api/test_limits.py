"""Limits as callers meet them: two processes of the product on one database and one Redis, with tiny tiers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx2
import pytest

from backend.core.config import plain_url
from tests.support.cluster import Cluster
from tests.support.ollama import StandInOllama
from tests.support.product import Account, Product, running_product
from tests.support.redis import running_redis

LOGIN = "/api/v1/auth/login"
REGISTER = "/api/v1/auth/register"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two processes: ``plain`` believes no proxy, ``proxied`` believes the one on its own machine."""

    plain: Product
    proxied: Product


@pytest.fixture(scope="module")
async def pair(cluster: Cluster, shared_ollama: StandInOllama, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(running_redis())
        database = await stack.enter_async_context(cluster.database())
        connection = await asyncpg.connect(plain_url(database.owner_url))
        await connection.execute(
            "update tiers set requests_per_minute = 12, concurrent_streams = 1, documents = 2, tokens_per_day = 500"
            " where name = 'free'"
        )
        await connection.close()

        async def start(name: str, *, trusting: str = "") -> Product:
            folder: Path = tmp_path_factory.mktemp(name) / "data"
            return await stack.enter_async_context(
                running_product(
                    folder,
                    database_url=database.app_url,
                    database_owner_url=database.owner_url,
                    chroma_url=cluster.chroma_url,
                    blob_url=(tmp_path_factory.getbasetemp() / "shared-blobs").as_uri(),
                    redis_url=redis.url,
                    secret_key="k" * 32,
                    chat_provider="ollama",
                    embedder="hashing",
                    ollama_url=shared_ollama.url,
                    limits_enabled=True,
                    forwarded_allow_ips=trusting,
                )
            )

        yield Pair(await start("plain"), await start("proxied", trusting="127.0.0.1"))


@pytest.fixture
async def alice(pair: Pair, request: pytest.FixtureRequest) -> AsyncIterator[Account]:
    """A user who registered from an address of their own, so that tests do not use up each other's registrations."""
    async with pair.proxied.account("alice", **{"X-Forwarded-For": address_of(request)}) as account:
        yield account


def address_of(request: pytest.FixtureRequest) -> str:
    number = sum(map(ord, request.node.name))
    return f"198.51.{number // 250 % 250}.{number % 250}"


async def me(client: httpx2.AsyncClient, url: str) -> httpx2.Response:
    return await client.get(f"{url}/api/v1/auth/me")


async def test_every_answer_to_a_known_caller_tells_what_is_left(pair: Pair, alice: Account) -> None:
    first = await me(alice.client, pair.plain.url)
    missing = await alice.client.get("/api/v1/chat/documents/0192e4a0-0000-7000-8000-000000000000")

    assert first.headers["ratelimit-policy"] == '"requests";q=12;w=60'
    assert first.headers["ratelimit"].startswith('"requests";r=11;t=')
    assert missing.status_code == 404
    assert missing.headers["ratelimit"].startswith('"requests";r=10;t=')
    async with pair.plain.client() as stranger:
        for path in ("/health", "/api/v1/auth/me"):
            assert "ratelimit" not in (await stranger.get(path)).headers


async def test_two_processes_count_together_and_the_refusal_says_which_limit(pair: Pair, alice: Account) -> None:
    answers = [await me(alice.client, url) for url in (pair.plain.url, pair.proxied.url) * 7]

    assert [answer.status_code for answer in answers] == [200] * 12 + [429] * 2
    refused = answers[-1]
    assert refused.headers["content-type"] == "application/problem+json"
    assert (refused.json()["code"], refused.json()["limit"]) == ("rate_limited", "requests_per_minute")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["ratelimit"].startswith('"requests";r=0;t=')


async def test_usage_shows_every_limit(alice: Account) -> None:
    usage = (await alice.client.get("/api/v1/auth/me/usage")).json()

    assert (usage["tier"], usage["enforced"]) == ("free", True)
    limits = {limit["name"]: limit for limit in usage["limits"]}
    assert {name: limit["limit"] for name, limit in limits.items()} == {
        "requests_per_minute": 12,
        "concurrent_streams": 1,
        "documents": 2,
        "stored_bytes": 1_000_000_000,
        "tokens_per_day": 500,
    }
    assert (limits["requests_per_minute"]["used"], limits["requests_per_minute"]["remaining"]) == (1, 11)
    assert limits["documents"] == {"name": "documents", "limit": 2, "used": 0, "remaining": 2, "reset_seconds": None}


async def test_one_answer_at_a_time_across_processes_and_leaving_frees_the_place(
    pair: Pair, alice: Account, ollama: StandInOllama
) -> None:
    ollama.reply, ollama.interval = ["word "] * 200, 0.05
    body = {"query": "Go on.", "stream": True}
    elsewhere = f"{pair.plain.url}/api/v1/chat/query"

    async with alice.client.stream("POST", "/api/v1/chat/query", json=body) as running:
        events = running.aiter_bytes()
        await anext(events)
        refused = await alice.client.post(elsewhere, json=body)
    ollama.reply, ollama.interval = ["Done."], 0
    for _ in range(5):
        await asyncio.sleep(0.1)
        again = await alice.client.post(elsewhere, json=body)
        if again.status_code != 429:
            break

    assert (refused.status_code, refused.json()["code"], refused.json()["limit"]) == (429, "rate_limited", "concurrent_streams")
    assert refused.headers["retry-after"] == "1"
    assert again.status_code == 200


async def test_the_days_tokens_run_out(alice: Account, ollama: StandInOllama) -> None:
    ollama.reply = ["word "] * 1000
    assert (await alice.ask("Say a lot.")).status_code == 200

    refused = await alice.ask("Say more.")

    assert (refused.status_code, refused.json()["code"], refused.json()["limit"]) == (429, "quota_exceeded", "tokens_per_day")
    assert 1 <= int(refused.headers["retry-after"]) <= 86_400


async def test_a_full_account_is_told_before_its_file_is_read(alice: Account) -> None:
    for name in ("a.md", "b.md"):
        assert (await alice.upload(name, name.encode())).status_code == 202

    refused = await alice.upload("c.md", b"c" * 1_000_000)

    assert (refused.status_code, refused.json()["code"], refused.json()["limit"]) == (429, "quota_exceeded", "documents")
    assert "retry-after" not in refused.headers, "waiting does not help"


async def test_of_several_files_those_that_fit_are_accepted_and_a_new_version_needs_no_new_place(alice: Account) -> None:
    files = [("files", (name, name.encode())) for name in ("a.md", "b.md", "c.md", "d.md")]

    answer = await alice.client.post("/api/v1/chat/upload", files=files)

    assert [document["filename"] for document in answer.json()["accepted"]] == ["a.md", "b.md"]
    told = [(each["filename"], each["problem"]["code"], each["problem"]["limit"]) for each in answer.json()["rejected"]]
    assert told == [("c.md", "quota_exceeded", "documents"), ("d.md", "quota_exceeded", "documents")]
    path = f"/api/v1/chat/documents/{answer.json()['accepted'][0]['id']}/file"
    replaced = await alice.client.put(path, files={"file": ("e.md", b"e.md")})
    assert (replaced.status_code, replaced.json()["version"]) == (202, 2)


async def test_guessing_a_password_ends_after_ten_and_both_ways_to_sign_in_count(pair: Pair, alice: Account) -> None:
    wrong = {"username": alice.username, "password": "not this one"}
    async with pair.plain.client() as stranger:
        for _ in range(5):
            assert (await stranger.post(LOGIN, json=wrong)).status_code == 401
            assert (await stranger.post("/api/v1/auth/token", data=wrong)).status_code == 400
        refused = await stranger.post(LOGIN, json=wrong)

    assert (refused.status_code, refused.json()["limit"]) == (429, "failed_sign_ins_of_account")
    assert 1 <= int(refused.headers["retry-after"]) <= 300
    assert (await me(alice.client, pair.plain.url)).status_code == 200, "who is signed in stays signed in"


async def test_a_forged_address_changes_nothing_unless_the_peer_is_a_trusted_proxy(pair: Pair) -> None:
    async def register(product: Product, number: int, forwarded: str) -> httpx2.Response:
        name = f"mallory-{number}"
        body = {"username": name, "email": f"{name}@example.com", "password": "correct horse battery"}
        async with product.client(**{"X-Forwarded-For": forwarded, "X-Real-IP": forwarded}) as stranger:
            return await stranger.post(REGISTER, json=body)

    forged = [await register(pair.plain, n, f"192.0.2.{n}") for n in range(22)]
    trusted = [await register(pair.proxied, 100 + n, f"192.0.2.{n}") for n in range(22)]

    assert [answer.status_code for answer in forged] == [201] * 20 + [429] * 2
    assert forged[-1].json()["limit"] == "registrations_of_address"
    assert [answer.status_code for answer in trusted] == [201] * 22


async def test_the_description_tells_of_429(pair: Pair) -> None:
    async with pair.plain.client() as stranger:
        paths = (await stranger.get("/openapi.json")).json()["paths"]
        ready = (await stranger.get("/ready")).json()

    silent = [
        f"{method} {path}"
        for path, operations in paths.items()
        for method, operation in operations.items()
        if "security" in operation and "429" not in operation["responses"]
    ]
    assert silent == []
    assert "429" in paths[LOGIN]["post"]["responses"]
    assert ready["checks"]["redis"] == "up"
