"""The table of the benchmark is right: two small sets through the real pipeline, counted again by hand."""

import json
from math import log2
from pathlib import Path

import pytest

from backend.adapters.embedders.hashing import HashingEmbedder
from benchmarks.retrieval.asking import ask_all
from benchmarks.retrieval.embedders import onnx
from benchmarks.retrieval.sets import read_sets
from benchmarks.retrieval.sweeping import fused, sweep
from benchmarks.retrieval.tables import measured, refusals, rows
from tests.support.cluster import Cluster, Database
from tests.support.tiny_model import write_tiny_model

KITCHEN = {
    "k1": "Bread needs flour, water, salt and time.",
    "k2": "Soup needs salt, carrots and a large pot.",
    "k3": "Jam needs sugar, and fruit that is ripe.",
    "k4": "",
}
SEA = {"s/1": "Blue whales eat krill.", "s 2": "Sharks have many teeth. " * 60 + "Krill glows in the dark."}
ASKED = {"What needs flour and time?": {"k1": 1}, "What needs salt?": {"k1": 1, "k2": 1}, "Why is fruit ripe?": {"k3": 1, "k2": 0}}


def write_set(folder: Path, documents: dict[str, str], asked: dict[str, dict[str, int]]) -> None:
    folder.mkdir(parents=True)
    corpus = [{"_id": number, "title": "", "text": text} for number, text in documents.items()]
    queries = [{"_id": f"q{number}", "text": question} for number, question in enumerate(asked)]
    grades = [f"q{number}\t{document}\t{grade}" for number, right in enumerate(asked.values()) for document, grade in right.items()]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)))
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, [*queries, {"_id": "unjudged", "text": "?"}])))
    (folder / "qrels.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *grades]))


async def test_the_table_counts_documents_where_their_best_passages_are(
    cluster: Cluster, database: Database, tmp_path: Path
) -> None:
    write_set(tmp_path / "sets" / "kitchen", KITCHEN, ASKED)
    write_set(tmp_path / "sets" / "sea", SEA, {"What eats krill?": {"s 2": 1}})
    sets = read_sets(tmp_path / "sets")

    found = await ask_all(cluster.settings(database, tmp_path), HashingEmbedder(), sets, aliens=True)

    assert [len(one.questions) for one in sets] == [3, 1]
    lexical = measured(found["kitchen"], "lexical")
    assert (lexical.questions, lexical.recall_5, lexical.mrr_10) == (3, 1, 1)
    assert lexical.recall_1 == pytest.approx((1 + 1 / 2 + 1) / 3)
    # The long document is second with its last passage, though a passage without any krill is among its others.
    [whales, *foreign] = found["sea"]
    assert whales.rankings["lexical"] == ["s/1", "s 2"]
    assert measured(found["sea"], "lexical").ndcg_10 == pytest.approx(1 / log2(3))
    assert rows("sea", "hashing", found["sea"])[1] == "| sea | hashing | lexical | 0.000 | 1.000 | 1.000 | 0.631 | 0.500 |"
    assert [one.grades for one in foreign] == [{}, {}, {}]
    assert refusals({"hashing": found})[3].startswith("| sea | hashing | 0.000 | ")
    # A sweep at the weight of the product gives what the product gave.
    for asked in found.values():
        assert fused(asked, HashingEmbedder.dense_weight) == measured(asked, "fused")
        assert fused(asked, 0.0) == measured(asked, "lexical")
    assert any("On the other half" in line for line in sweep("hashing", {"kitchen": found["kitchen"] * 2}))


async def test_vectors_of_a_model_are_kept_from_one_run_to_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = write_tiny_model(tmp_path / "tiny")
    first = await onnx(folder)
    vectors = await first.embed_documents(["bread", "krill"])
    question = await first.embed_query("bread")
    await first.aclose()
    again = await onnx(folder)

    assert (await again.embed_documents(["krill"]) == vectors[1:]).all()
    assert (await again.embed_query("bread") == question).all()
    assert again.identity == first.identity
