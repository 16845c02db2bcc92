"""``docent eval``, as a CI would run it."""

import json
from pathlib import Path

from tests.e2e.test_commands import docent, running_in
from tests.support.files import WHALES
from tests.support.tiny_model import write_tiny_model

QUESTIONS: list[dict[str, object]] = [
    {"question": "What do whales eat?", "document": "whales.md", "text": "Blue whales eat krill"},
    {"question": "How many days until refunds are paid?", "document": "refunds.txt"},
    {"question": "Which parliament ratified the treaty?", "answerable": False},
]


def test_eval_measures_files_in_a_place_of_their_own_and_fails_under_a_threshold(tmp_path: Path) -> None:
    write_tiny_model(tmp_path / "models" / "tiny", docent={"relevance_threshold": 0.99})
    files = tmp_path / "files" / "deeper"
    files.mkdir(parents=True)
    (files / "whales.md").write_bytes(WHALES)
    (files.parent / "refunds.txt").write_text("Refunds are paid within 30 days.")
    (files.parent / "odd.xyz").write_text("A file that nobody can read.")
    questions = tmp_path / "questions.jsonl"
    questions.write_text("\n".join(map(json.dumps, QUESTIONS)))
    onnx = {"EMBEDDER": "onnx", "EMBEDDING_MODEL": "tiny"}

    done = docent(tmp_path, "eval", "questions.jsonl", "--folder", "files", "--json", "--min-recall", "1", "--min-mrr", "1", **onnx)

    found = json.loads(done.stdout)
    assert found["embedder"].startswith("onnx/tiny@")
    assert found["legs"]["fused"]["recall_5"] == 1
    assert (found["answerable"], found["unanswerable"], found["rightly_refused"]) == (2, 1, 1)
    assert done.returncode == (1 if found["failed"] else 0)
    assert found["failed"] == ([] if found["legs"]["fused"]["mrr_10"] == 1 else done.stderr.splitlines()[-1:])
    assert "odd.xyz" in done.stderr
    assert running_in(tmp_path) == []
