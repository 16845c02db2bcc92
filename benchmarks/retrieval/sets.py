"""Public sets in the layout of BEIR."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class PublicSet:
    """Documents by their ids, questions by theirs, and for each question the grades of the documents that answer it."""

    name: str
    documents: Mapping[str, str]
    questions: Mapping[str, str]
    grades: Mapping[str, Mapping[str, float]]


def read_sets(folder: Path) -> list[PublicSet]:
    """Read every set in a folder, or the one that the folder is."""
    folders = [folder] if (folder / "corpus.jsonl").is_file() else sorted(path.parent for path in folder.glob("*/corpus.jsonl"))
    if not folders:
        raise SystemExit(f"There is no set in {folder}: a set is a folder with corpus.jsonl, queries.jsonl and qrels.tsv.")
    return [read_set(found) for found in folders]


def read_set(folder: Path) -> PublicSet:
    """Read one set. A document is its title, an empty line and its text, as somebody would upload it."""
    documents = {}
    for row in lines(folder / "corpus.jsonl"):
        title, text = row.get("title", "").strip(), row["text"].strip()
        documents[row["_id"]] = f"{title}\n\n{text}".strip()
    grades: dict[str, dict[str, float]] = {}
    with (folder / "qrels.tsv").open(encoding="utf-8") as opened:
        for question, document, grade in list(csv.reader(opened, delimiter="\t"))[1:]:
            grades.setdefault(question, {})[document] = float(grade)
    questions = {row["_id"]: row["text"] for row in lines(folder / "queries.jsonl") if row["_id"] in grades}
    return PublicSet(folder.name, documents, questions, grades)


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a file with one on each line."""
    with path.open(encoding="utf-8") as opened:
        for line in opened:
            if line.strip():
                yield json.loads(line)
