"""What the product measures, as Prometheus reads it."""

import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.api.conftest import SCALED
from tests.support.ollama import StandInOllama
from tests.support.product import Account, Product, running_product

Samples = Mapping[tuple[str, tuple[tuple[str, str], ...]], float]

NAME = re.compile(r"(docent|process|python)_[a-z_]+")
ODD_UNITS = re.compile(r"_(ms|milliseconds|minutes|hours|kb|mb|percent)(_|$)")


@pytest.fixture(scope="module")
async def product(
    product: Product, shared_ollama: StandInOllama, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Product]:
    """One process: each tells what it has measured itself, and only of one is it known that it has done everything."""
    if not SCALED:
        yield product
        return
    folder = tmp_path_factory.mktemp("measured") / "data"
    async with running_product(folder, chat_provider="ollama", embedder="hashing", ollama_url=shared_ollama.url) as alone:
        yield alone


async def ready_document(account: Account, filename: str, data: bytes) -> dict[str, Any]:
    return await account.settled((await account.upload(filename, data)).json()["id"])


async def scraped(product: Product) -> tuple[str, Samples]:
    async with product.client() as client:
        response = await client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(response.text)
    return response.text, {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value for family in families for sample in family.samples
    }


def grown(before: Samples, after: Samples, name: str, **labels: str) -> float:
    """By how much a metric has grown, over all its series with these labels."""
    wanted = set(labels.items())
    return sum(value - before.get(key, 0) for key, value in after.items() if key[0] == name and wanted <= set(key[1]))


async def test_a_document_and_a_question_are_measured(product: Product, alice: Account) -> None:
    _, before = await scraped(product)
    ready = await ready_document(alice, "whales.md", b"# Whales\n\nThe blue whale eats krill, four tonnes of it a day.\n")
    answer = (await alice.ask("What does the blue whale eat?")).json()
    await alice.client.get("/api/v1/nothing/of/that/kind")
    _, after = await scraped(product)

    assert ready["status"] == "ready"
    assert answer["answer_status"] == "grounded"
    assert grown(before, after, "docent_documents_total", outcome="ready") == 1
    assert grown(before, after, "docent_chunks_embedded_total") == ready["chunks"]
    for stage in ("reading", "embedding", "storing", "indexing", "whole"):
        assert grown(before, after, "docent_ingestion_stage_duration_seconds_count", stage=stage) >= 1, stage
    assert grown(before, after, "docent_job_duration_seconds_count", job="index_document", outcome="succeeded") == 1
    for leg in ("dense", "lexical"):
        assert grown(before, after, "docent_retrieval_leg_duration_seconds_count", leg=leg) >= 1, leg
    assert grown(before, after, "docent_answer_duration_seconds_count", status="complete", answer_status="grounded") == 1
    assert grown(before, after, "docent_answer_first_token_seconds_count", model=answer["model"]) == 1
    tokens = {
        kind: grown(before, after, "docent_tokens_total", kind=kind, model=answer["model"]) for kind in ("prompt", "completion")
    }
    assert tokens == {kind: answer["usage"][f"{kind}_tokens"] for kind in tokens}
    assert grown(before, after, "docent_http_request_duration_seconds_count", operation="query", status="200") == 1
    assert grown(before, after, "docent_http_request_duration_seconds_count", operation="none", status="404") == 1


async def test_what_is_looked_at_is_there(product: Product) -> None:
    _, samples = await scraped(product)

    assert samples["docent_answers_running", ()] == 0
    assert samples["docent_service_up", (("service", "postgresql"),)] == 1
    assert samples["docent_database_connections", (("state", "size"),)] == 10
    assert samples["docent_event_loop_tasks", ()] > 0
    assert samples["docent_queue_takers", ()] == 2
    assert ("docent_queue_oldest_waiting_seconds", ()) in samples
    assert samples["process_resident_memory_bytes", ()] > 0


async def test_nobody_and_nothing_can_be_told_from_it(product: Product, alice: Account) -> None:
    document = await ready_document(alice, "secret-name.md", b"# A secret heading\n\nKrill is eaten.\n")
    await alice.ask("A secret question about krill?")
    text, _ = await scraped(product)

    for secret in (document["id"], alice.username, "secret", "krill"):
        assert secret not in text.lower(), secret


async def test_the_names_follow_the_conventions(product: Product, alice: Account) -> None:
    await ready_document(alice, "whales.md", b"Whales eat krill.\n")
    text, _ = await scraped(product)

    families = list(text_string_to_metric_families(text))
    assert {family.name for family in families if not NAME.fullmatch(family.name)} == set()
    assert {family.name for family in families if ODD_UNITS.search(family.name)} == set()
    assert {family.name for family in families if not family.documentation} == set()
    assert {family.type for family in families} <= {"counter", "gauge", "histogram"}
    counters = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE") and line.endswith(" counter")}
    assert {name for name in counters if not name.endswith("_total")} == set()
    told = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(told) == len(set(told))


async def test_promtool_finds_nothing_to_mend(product: Product, alice: Account) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: apt install prometheus)")
    await ready_document(alice, "whales.md", b"Whales eat krill.\n")
    text, _ = await scraped(product)

    checked = subprocess.run(  # noqa: ASYNC221 - nobody else needs the loop meanwhile
        [promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False, timeout=60
    )

    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


async def test_a_token_is_asked_for_where_one_is_set_and_nothing_is_there_where_it_is_off(tmp_path: Path) -> None:
    guarded = running_product(tmp_path / "data", metrics_token="a-token-of-the-scraper", chat_provider="extractive")
    async with guarded as product, product.client() as client:
        without = await client.get("/metrics")
        wrong = await client.get("/metrics", headers={"Authorization": "Bearer another"})
        right = await client.get("/metrics", headers={"Authorization": "Bearer a-token-of-the-scraper"})
    assert (without.status_code, wrong.status_code, right.status_code) == (401, 401, 200)

    quiet = running_product(tmp_path / "data", metrics_enabled=False, chat_provider="extractive")
    async with quiet as product, product.client() as client:
        off, missing = await client.get("/metrics"), await client.get("/nothing")
    assert (off.status_code, off.json()["code"]) == (404, missing.json()["code"])
