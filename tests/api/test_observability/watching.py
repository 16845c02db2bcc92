"""Somebody who uses a product of two processes, and what was heard of it."""

import asyncio
import json
import signal
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.collector import Collector, Seen, collecting
from tests.support.leaks import Confidences
from tests.support.ollama import CHAT_MODEL, StandInOllama
from tests.support.ollama.server import Recorded
from tests.support.product import DOCENT, Product, running_product

DOCUMENT = "The grey whale of Bullenhuser Damm feeds on amphipods that nobody else has ever mentioned."
QUESTION = "Which whale feeds on amphipods in the sediment of Bullenhuser Damm?"
LATER = "And what does the whale of Bullenhuser Damm do in the winter months?"
REPLY = "It feeds on amphipods, as the planted reply of this model says. [1]"
PROVIDER_KEY = "a-planted-key-of-the-provider"
TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
UPLOADED, ASKED, QUEUED, BROKEN = "request-of-upload", "request-of-question", "request-of-task", "request-of-nonsense"

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Heard:
    """Everything: the lines of both processes, the spans, the requests to the model, and the ids that they are about."""

    api: list[str]
    worker: list[str]
    spans: list[Seen]
    raw_spans: bytes
    asked_of_the_model: list[Recorded]
    environment: dict[str, str]
    confided: Confidences
    secrets: tuple[str, ...]
    user_id: str
    document_id: str
    task_id: str
    message_id: str

    @property
    def in_api(self) -> list[Line]:
        """The lines of the API's log."""
        return [json.loads(line) for line in self.api if line.startswith("{")]

    @property
    def in_worker(self) -> list[Line]:
        """The lines of the worker's log."""
        return [json.loads(line) for line in self.worker if line.startswith("{")]


@asynccontextmanager
async def worker_of(product: Product, lines: list[str]) -> AsyncIterator[None]:
    """Run ``docent worker`` beside a product that has none."""
    folder = Path(product.environment["DATA_DIR"]).parent
    process = await asyncio.create_subprocess_exec(
        str(DOCENT), "worker", stdout=PIPE, stderr=STDOUT, env=product.environment, cwd=folder
    )
    assert process.stdout is not None
    stdout, ready = process.stdout, asyncio.Event()

    async def read() -> None:
        while line := (await stdout.readline()).decode(errors="replace"):
            lines.append(line)
            if "worker is ready" in line:
                ready.set()

    reading = asyncio.create_task(read())
    try:
        async with asyncio.timeout(60):
            await ready.wait()
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            await process.wait()
            await reading


async def watched(folder: Path) -> Heard:
    """Use the product, with logs as talkative as they can be, until everything is done and it has ended."""
    said: list[str] = []
    async with StandInOllama(reply=REPLY) as model, collecting() as collector:
        settings: dict[str, Any] = {
            "worker": False,
            "log_level": "debug",
            "log_format": "json",
            "chat_provider": "openai",
            "chat_model": CHAT_MODEL.name,
            "openai_base_url": model.url,
            "openai_api_key": PROVIDER_KEY,
            "embedder": "openai",
            "embedding_model": "nomic-embed-text",
            "otel_exporter_otlp_endpoint": collector.url,
            "otel_bsp_schedule_delay": 100,
        }
        async with running_product(folder / "data", **settings) as product, worker_of(product, said):
            ids, secrets = await _everything(product, collector)
        return Heard(
            product.lines,
            said,
            list(collector.spans),
            bytes(collector.raw),
            list(model.requests),
            product.environment,
            product.confided,
            secrets,
            **ids,
        )


async def _everything(product: Product, collector: Collector) -> tuple[dict[str, str], tuple[str, ...]]:
    async with product.account("watched") as alice:
        client = alice.client
        user_id = (await client.get("/api/v1/auth/me")).json()["id"]
        key = (await client.post("/api/v1/auth/keys", json={"name": "a key", "scopes": ["documents:read"]})).json()
        sent = {"file": ("whales.md", f"# Whales\n\n{DOCUMENT}\n".encode())}
        alice.confided.note(DOCUMENT)
        document = (await client.post("/api/v1/chat/upload", files=sent, headers={"X-Request-ID": UPLOADED})).json()
        assert (await alice.settled(document["id"], within=90))["status"] == "ready"
        broken = (
            await client.post(
                "/api/v1/chat/upload", files={"file": ("broken.pdf", b"%PDF-1.7\nno such thing")}, headers={"X-Request-ID": BROKEN}
            )
        ).json()
        assert (await alice.settled(broken["id"], within=90))["status"] == "failed"
        headers = {"X-Request-ID": ASKED, "traceparent": f"00-{TRACE}-{CALLER}-01"}
        answer = (await client.post("/api/v1/chat/query", json={"query": QUESTION}, headers=headers)).json()
        assert answer["answer_status"] == "grounded", answer
        later = {"query": LATER, "session_id": answer["session_id"]}
        task = (await client.post("/api/v1/chat/background", json=later, headers={"X-Request-ID": QUEUED})).json()
        async with asyncio.timeout(90):
            while (await client.get(f"/api/v1/chat/tasks/{task['id']}")).json()["state"] not in {"succeeded", "failed"}:  # noqa: ASYNC110
                await asyncio.sleep(0.3)
        await _mistakes(product, alice.access_token, alice.username, key["key"])
        await collector.until(lambda spans: sum(span.name == "answer" for span in spans) == 2)
        ids = {"user_id": user_id, "document_id": document["id"], "task_id": task["id"], "message_id": answer["message_id"]}
        return ids, (alice.access_token, alice.refresh_token, key["key"], PROVIDER_KEY, "correct horse")


async def _mistakes(product: Product, token: str, username: str, key: str) -> None:
    """Tell secrets to the wrong places."""
    async with product.client() as stranger:
        wrong = {"username": username, "password": "a planted wrong password"}
        assert (await stranger.post("/api/v1/auth/login", json=wrong)).status_code == 401
        assert (await stranger.get(f"/nothing/{token}", params={"token": token})).status_code == 404
        listed = await stranger.get(
            "/api/v1/chat/documents", params={"q": DOCUMENT[:40]}, headers={"Authorization": f"Bearer {key}"}
        )
        assert listed.status_code == 200
        assert (await stranger.get("/api/v1/chat/documents", headers={"Authorization": f"Bearer {token}x"})).status_code == 401
