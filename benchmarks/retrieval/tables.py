"""What is printed of the answers."""

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version

from backend.rag.evaluation import Figures, figures
from benchmarks.retrieval.asking import Asked

LEGS = ("dense", "lexical", "fused")
HEAD = "| set | embedder | leg | R@1 | R@5 | R@10 | nDCG@10 | MRR@10 |\n|---|---|---|---|---|---|---|---|"


def machine() -> str:
    """Return a line about the machine and what ran on it."""
    parts = [f"{name} {version(name)}" for name in ("onnxruntime", "chromadb")]
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {', '.join(parts)}"


def measured(asked: Sequence[Asked], leg: str) -> Figures:
    """Return the figures of a leg, or of both together, at the level of documents: a document is where its best passage is."""
    return figures((one.rankings[leg], one.grades) for one in asked if one.grades)


def rows(name: str, embedder: str, asked: Sequence[Asked]) -> list[str]:
    """Return the rows of one set and one embedder."""
    return [_row(name, embedder, leg, measured(asked, leg)) for leg in LEGS]


def refusals(found: Mapping[str, Mapping[str, Sequence[Asked]]]) -> list[str]:
    """Return how often the product as it is finds nothing relevant: for a set's own questions, and for those of the others."""
    lines = ["| set | embedder | own questions refused | foreign ones refused |", "|---|---|---|---|"]
    for embedder, sets in found.items():
        for name, asked in sets.items():
            own = [one.refused for one in asked if one.grades]
            foreign = [one.refused for one in asked if not one.grades]
            lines.append(f"| {name} | {embedder} | {share(own)} | {share(foreign)} |")
    return lines


def share(judged: Sequence[bool]) -> str:
    """Return the share of those that are true."""
    return f"{sum(judged) / len(judged):.3f}" if judged else "-"


def _row(name: str, embedder: str, leg: str, found: Figures) -> str:
    numbers = (found.recall_1, found.recall_5, found.recall_10, found.ndcg_10, found.mrr_10)
    return f"| {name} | {embedder} | {leg} | {' | '.join(f'{number:.3f}' for number in numbers)} |"
