"""Uploading a document and waiting until it can be searched, with what the product and Linux tell of it meanwhile."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from time import monotonic, perf_counter, time
from typing import Any

import aiohttp

from backend.adapters.document_parsers.sandbox import SandboxedDocumentParser
from backend.adapters.embedders.ollama import OllamaEmbedder
from backend.rag.splitting import split
from backend.services.indexing.chunks import embedded_text
from benchmarks.footprint.kinds import by_kind
from benchmarks.ingestion.promises import Upload
from benchmarks.processes import cpu_seconds, memory_bytes
from tests.support.files import in_pieces
from tests.support.product import Account, Product

BATCH = 64
STAGE = re.compile(r'^docent_ingestion_stage_duration_seconds_sum\{stage="(\w+)"\} (\S+)$', re.MULTILINE)
GLANCE_SECONDS = 0.25
PATIENCE_SECONDS = 300


async def chunks_of(data: bytes, media_type: str, embedder: OllamaEmbedder) -> list[str]:
    """Return what the product embeds of a document."""
    parsed = await SandboxedDocumentParser().parse(in_pieces(data), media_type)
    return [embedded_text(chunk.heading, chunk.text) for chunk in split(parsed, max_characters=embedder.max_characters)]


async def embedded_alone(embedder: OllamaEmbedder, texts: Sequence[str]) -> float:
    """Embed texts with the product's own adapter, one batch after the other, and nothing else; return the seconds."""
    begun = perf_counter()
    for at in range(0, len(texts), BATCH):
        await embedder.embed_documents(texts[at : at + BATCH])
    return perf_counter() - begun


async def uploaded(product: Product, account: Account, filename: str, data: bytes, pure: float) -> Upload:
    """Upload a document to an account that has none, and wait until it is ready: that moment is the product's own note."""
    stages = await _stages(product)
    used = by_kind(product.process.pid, cpu_seconds)
    peak = Peak(product.process.pid)
    watching = asyncio.create_task(peak.watch())
    begun = time()
    document = await ready(account, await sent(account, filename, data))
    watching.cancel()
    whole = finished(document) - begun
    spent = {name: seconds - stages.get(name, 0.0) for name, seconds in (await _stages(product)).items()}
    cpu = {kind: seconds - used.get(kind, 0.0) for kind, seconds in by_kind(product.process.pid, cpu_seconds).items()}
    return Upload(document["chunks"], whole, pure, peak.growth, spent, cpu)


async def sent(account: Account, filename: str, data: bytes) -> str:
    """Upload a file; return its document's id."""
    response = await account.upload(filename, data)
    response.raise_for_status()
    return str(response.json()["id"])


async def sent_quietly(account: Account, filename: str, data: bytes) -> str:
    """Upload a file piece by piece, so that what this process measures meanwhile waits for none of it; see ``sent``."""
    form = aiohttp.FormData()
    form.add_field("file", in_pieces(data), filename=filename)
    headers = {"Authorization": f"Bearer {account.access_token}"}
    url = str(account.client.base_url).rstrip("/") + "/api/v1/chat/upload"
    async with aiohttp.ClientSession(headers=headers) as session, session.post(url, data=form) as response:
        response.raise_for_status()
        return str((await response.json())["id"])


def finished(document: Mapping[str, Any]) -> float:
    """Return when a document became ready, in seconds of the machine's clock."""
    return datetime.fromisoformat(document["ready_at"]).timestamp()


async def ready(account: Account, document_id: str) -> dict[str, Any]:
    """Wait until a document can be searched."""
    deadline = monotonic() + PATIENCE_SECONDS
    while (document := await account.document(document_id))["status"] != "ready":
        if document["status"] == "failed" or monotonic() > deadline:
            raise SystemExit(f"It was not indexed: {document}")
        await asyncio.sleep(GLANCE_SECONDS)
    return document


class Peak:
    """Looks at a process's memory from its making on."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._before = self._most = memory_bytes(pid)

    @property
    def growth(self) -> int:
        """By how much it was larger at most, in bytes."""
        return self._most - self._before

    async def watch(self) -> None:
        """Look until cancelled."""
        while True:
            self._most = max(self._most, memory_bytes(self._pid))
            await asyncio.sleep(GLANCE_SECONDS)


async def _stages(product: Product) -> dict[str, float]:
    """Return how many seconds the product has spent in each stage of ingestion."""
    async with product.client() as client:
        return {found[1]: float(found[2]) for found in STAGE.finditer((await client.get("/metrics")).text)}
