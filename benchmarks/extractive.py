"""How often the answer without a model holds the gold answer, and how often it declines where there is none.

Run it with ``python benchmarks/extractive.py FOLDER``: a set of SQuAD's kind in the BEIR layout (``corpus.jsonl``, and
``queries.jsonl`` with ``answers``; the paragraphs of a subject share their title). Passages are ranked by BM25 over the whole set,
once with the subject of the question and once without it: then none of them holds the answer.
"""

import argparse
import asyncio
import json
import platform
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import UUID

from backend.adapters.chat_models.extractive import ExtractiveChatModel
from backend.core.words import terms
from backend.ports.chat_model import NOTHING_FOUND, Generation, Passage, Prompt

GIVEN = 5
OPTIONS = Generation("extractive", 32_768)


@dataclass(frozen=True, slots=True)
class Paragraph:
    name: str
    subject: str
    text: str
    bag: Counter[str]


class Library:
    """All paragraphs, ranked by BM25 (k1 1.2, b 0.75)."""

    def __init__(self, folder: Path) -> None:
        rows = read(folder / "corpus.jsonl")
        self.paragraphs = [Paragraph(row["_id"], row["title"], row["text"], Counter(terms(row["text"]))) for row in rows]
        self._holders: dict[str, list[int]] = defaultdict(list)
        for at, paragraph in enumerate(self.paragraphs):
            for term in paragraph.bag:
                self._holders[term].append(at)
        self._mean = sum(paragraph.bag.total() for paragraph in self.paragraphs) / len(self.paragraphs)

    def ranked(self, question: str) -> list[tuple[Paragraph, float]]:
        """Return the paragraphs that share a term with the question, best first, with scores from 1 downwards."""
        scores: Counter[int] = Counter()
        for term in set(terms(question)):
            holders = self._holders.get(term, [])
            idf = log(1 + (len(self.paragraphs) - len(holders) + 0.5) / (len(holders) + 0.5))
            for at in holders:
                bag = self.paragraphs[at].bag
                tf = bag[term]
                scores[at] += idf * tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * bag.total() / self._mean))  # type: ignore[assignment] # floats
        best = max(scores.values(), default=1)
        return [(self.paragraphs[at], score / best) for at, score in scores.most_common()]


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def passages(ranked: Sequence[tuple[Paragraph, float]]) -> tuple[Passage, ...]:
    found = []
    for marker, (paragraph, score) in enumerate(ranked[:GIVEN], start=1):
        ids = UUID(int=marker), UUID(int=marker)
        found.append(Passage(marker, *ids, paragraph.subject, None, None, 0, len(paragraph.text), paragraph.text, score))
    return tuple(found)


async def answer(model: ExtractiveChatModel, question: str, ranked: Sequence[tuple[Paragraph, float]]) -> str:
    prompt = Prompt((), question, passages(ranked))
    return "".join([piece.text async for piece in model.stream(prompt, OPTIONS)])


async def measure(folder: Path) -> None:
    library, model = Library(folder), ExtractiveChatModel()
    subjects = {row[0]: row[1] for row in (line.split("\t") for line in (folder / "qrels.tsv").read_text().splitlines()[1:])}
    subject_of = {paragraph.name: paragraph.subject for paragraph in library.paragraphs}
    questions = read(folder / "queries.jsonl")
    right = within_reach = declined = declined_foreign = sentences = 0
    took = 0.0
    for question in questions:
        ranked = library.ranked(question["text"])
        begun = perf_counter()
        said = await answer(model, question["text"], ranked)
        took += perf_counter() - begun
        within_reach += any(gold in paragraph.text for gold in question["answers"] for paragraph, _ in ranked[:GIVEN])
        right += any(gold in said for gold in question["answers"])
        declined += said == NOTHING_FOUND
        sentences += 0 if said == NOTHING_FOUND else said.count(" [")
        subject = subject_of[subjects[question["_id"]]]
        foreign = [(paragraph, score) for paragraph, score in ranked if paragraph.subject != subject]
        declined_foreign += await answer(model, question["text"], foreign) == NOTHING_FOUND
    total = len(questions)
    print(f"{folder.name}: {total} questions, {GIVEN} passages each; {platform.machine()}, Python {platform.python_version()}\n")
    print("| what | share |\n|---|---|")
    for what, count in (
        ("the gold answer is in the passages", within_reach),
        ("the gold answer is in the answer", right),
        ("declined, with the passages of its subject", declined),
        ("declined, with the passages of other subjects", declined_foreign),
    ):
        print(f"| {what} | {count / total:.3f} |")
    print(f"\n{sentences / max(total - declined, 1):.2f} sentences an answer, {1000 * took / total:.2f} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    asyncio.run(measure(parser.parse_args().folder))
