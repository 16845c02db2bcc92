"""A search that explains itself: every number in it is computed again here, from what is stored."""

from collections import Counter
from math import log
from typing import Any

import numpy as np
import pytest

from backend.adapters.embedders.hashing import HashingEmbedder
from backend.rag.normalising import search_text
from tests.security.isolation.world import behind_the_walls
from tests.support.files import WHALES, long_text
from tests.support.product import Account, Product

QUESTION = "Which subject weighs 13 grams, and what do blue whales eat?"
K1, B = 1.2, 0.75


async def with_documents(account: Account, **files: bytes) -> list[str]:
    ids = []
    for name, data in files.items():
        document = (await account.upload(f"{name}.md", data)).json()
        assert (await account.settled(document["id"]))["status"] == "ready"
        ids.append(str(document["id"]))
    return ids


async def search(account: Account, query: str = QUESTION, **fields: object) -> dict[str, Any]:
    response = await account.client.post("/api/v1/chat/search", json={"query": query, **fields})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def computed(product: Product, documents: list[str]) -> tuple[dict[tuple[str, int], float], dict[tuple[str, int], Any]]:
    """Return the cosine, and BM25 with its share, of every chunk by document and start, from the tables alone."""
    async with behind_the_walls(product) as database:
        rows = await database.fetch(
            "select c.document_id::text as document, c.start_offset, c.search_text, v.vector from chunks c"
            " join chunk_vectors v on v.chunk_id = c.id where c.document_id = any($1::uuid[])",
            documents,
        )

        async def lexemes(text: str) -> Counter[str]:
            found = await database.fetch(
                "select lexeme, cardinality(positions) as n from unnest(to_tsvector('english', $1::text))", text
            )
            return Counter({row["lexeme"]: row["n"] for row in found})

        asked = await lexemes(search_text(QUESTION))
        bags = {(row["document"], row["start_offset"]): await lexemes(row["search_text"]) for row in rows}
    vector = await HashingEmbedder().embed_query(QUESTION)
    cosines = {
        (row["document"], row["start_offset"]): float(np.frombuffer(row["vector"], "<f2").astype(np.float32) @ vector)
        for row in rows
    }
    frequency = Counter(lexeme for bag in bags.values() for lexeme in bag)
    mean = sum(bag.total() for bag in bags.values()) / len(bags)
    idf = {lexeme: log(1 + (len(bags) - frequency[lexeme] + 0.5) / (frequency[lexeme] + 0.5)) for lexeme in asked}
    words = {}
    for place, bag in bags.items():
        if matched := [lexeme for lexeme in asked if bag[lexeme]]:
            weight = {n: n * (K1 + 1) / (n + K1 * (1 - B + B * bag.total() / mean)) for n in bag.values()}
            share = sum(idf[lexeme] for lexeme in matched) / sum(idf.values())
            words[place] = (sum(idf[lexeme] * weight[bag[lexeme]] for lexeme in matched), share)
    return cosines, words


def place_in(scores: list[float], score: float) -> range:
    """Return the ranks that a score may have: several where others are as good, but for the last digits of a float16."""
    return range(1 + sum(other > score + 2e-3 for other in scores), 1 + sum(other >= score - 2e-3 for other in scores))


def scaled(score: float | None, scores: list[float]) -> float:
    return 0.0 if score is None else (score - min(scores)) / (max(scores) - min(scores))


async def test_ranks_scores_and_relevance_follow_from_what_is_stored(product: Product, alice: Account) -> None:
    documents = await with_documents(alice, whales=WHALES, subjects=long_text(12), bread=b"# Bread\n\nThe oven must be hot.\n")
    cosines, words = await computed(product, documents)
    bm25 = {place: score for place, (score, _) in words.items()}

    found = await search(alice, limit=50)

    assert (found["query"], found["embedder"], found["degraded"]) == (QUESTION, HashingEmbedder.identity, [])
    assert (found["dense_weight"], found["thresholds"]["dense"]) == (
        HashingEmbedder.dense_weight,
        HashingEmbedder.relevance_threshold,
    )
    assert [hit["rank"] for hit in found["hits"]] == list(range(1, len(cosines) + 1))
    assert {(hit["document_id"], hit["start"]) for hit in found["hits"]} == set(cosines)
    for hit in found["hits"]:
        place = (hit["document_id"], hit["start"])
        assert hit["dense"]["score"] == pytest.approx(cosines[place], abs=2e-3)
        assert hit["dense"]["rank"] in place_in(list(cosines.values()), cosines[place])
        assert (hit["lexical"] is None) == (place not in words)
        if hit["lexical"] is not None:
            assert (hit["lexical"]["score"], hit["lexical"]["share"]) == pytest.approx(words[place], rel=1e-6)
            assert hit["lexical"]["rank"] in place_in(list(bm25.values()), bm25[place])
        fused = found["dense_weight"] * scaled(cosines[place], list(cosines.values()))
        fused += (1 - found["dense_weight"]) * scaled(bm25.get(place), list(bm25.values()))
        assert hit["score"] == pytest.approx(fused, abs=1e-2)
        near = hit["dense"]["score"] >= found["thresholds"]["dense"]
        assert hit["relevant"] == (near or words.get(place, (0, 0.0))[1] >= found["thresholds"]["lexical"])
    assert [hit["score"] for hit in found["hits"]] == sorted((hit["score"] for hit in found["hits"]), reverse=True)
    assert {hit["relevant"] for hit in found["hits"]} == {True, False}
    timings = found["timings"]
    assert 0 <= max(timings["dense_ms"], timings["lexical_ms"]) <= timings["total_ms"]


async def test_quotes_are_the_documents_own_text_and_limits_and_filters_hold(alice: Account) -> None:
    whales, subjects = await with_documents(alice, whales=WHALES, subjects=long_text(12))

    everything = await search(alice, limit=50)
    for hit in everything["hits"]:
        place = {"start": hit["start"], "end": hit["end"], "version": hit["version"]}
        stored = (await alice.client.get(f"/api/v1/chat/documents/{hit['document_id']}/text", params=place)).json()
        assert stored["text"] == hit["quote"]
    again, few, filtered = await search(alice, limit=50), await search(alice, limit=3), await search(alice, document_ids=[whales])
    assert again["hits"] == everything["hits"]
    assert few["hits"] == everything["hits"][:3]
    assert {hit["document_id"] for hit in filtered["hits"]} == {whales}
    assert {hit["document_id"] for hit in everything["hits"]} == {whales, subjects}


async def test_what_cannot_be_found_is_no_error_and_what_cannot_be_asked_is(alice: Account) -> None:
    await with_documents(alice, whales=WHALES)
    nobodys = "0199a0a0-0000-7000-8000-000000000000"

    for query in ("???", "…", "🐋"):
        assert (await search(alice, query))["hits"] == []
    assert {hit["relevant"] for hit in (await search(alice, "How hot must the oven be?"))["hits"]} == {False}
    for fields, status in (
        ({"query": "?", "document_ids": [nobodys]}, 404),
        ({"query": " "}, 422),
        ({"query": "krill", "limit": 0}, 422),
        ({"query": "krill", "limit": 51}, 422),
        ({"query": "krill", "document_ids": []}, 422),
        ({"query": "krill", "session_id": nobodys}, 422),
    ):
        assert (await alice.client.post("/api/v1/chat/search", json=fields)).status_code == status, fields


async def test_a_key_that_reaches_one_document_finds_no_other(product: Product, alice: Account, bob: Account) -> None:
    near, far = await with_documents(alice, whales=WHALES, subjects=long_text(3))
    body = {"name": "narrow", "scopes": ["chat"], "document_ids": [near]}
    key = (await alice.client.post("/api/v1/auth/keys", json=body)).json()["key"]

    async with product.client(Authorization=f"Bearer {key}") as client:
        found = (await client.post("/api/v1/chat/search", json={"query": QUESTION})).json()
        refused = await client.post("/api/v1/chat/search", json={"query": QUESTION, "document_ids": [near, far]})

    assert {hit["document_id"] for hit in found["hits"]} == {near}
    assert (refused.status_code, refused.json()["code"]) == (404, "document_not_found")
    assert (await search(bob))["hits"] == []
