"""How good a ranking is: the measures of retrieval."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import TypeVar

Item = TypeVar("Item", bound=Hashable)

DEPTH = 10
"""Where the rankings are cut for nDCG and MRR."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Means over questions, each 0 to 1; all 0 where there was no question."""

    questions: int
    recall_1: float
    recall_5: float
    recall_10: float
    ndcg_10: float
    mrr_10: float


def figures(answered: Iterable[tuple[Sequence[Item], Mapping[Item, float]]]) -> Figures:
    """Return the means over questions, each a ranking, best first, and the grades of what is right; a grade of 0 is wrong.

    What comes several times in a ranking counts where it comes first, so a ranking of passages by their documents is one of
    documents. A question to which nothing is right is left out.

    Recall is the share of what is right that is among the first k; nDCG has linear gains. Source: Järvelin and Kekäläinen, 2002,
    as in trec_eval and BEIR.
    """
    rows = [
        (
            *(recall(ranking, grades, at) for at in (1, 5, 10)),
            ndcg(ranking, grades),
            reciprocal_rank(ranking, grades),
        )
        for ranking, grades in ((tuple(dict.fromkeys(ranking)), grades) for ranking, grades in answered)
        if any(grade > 0 for grade in grades.values())
    ]
    if not rows:
        return Figures(0, 0.0, 0.0, 0.0, 0.0, 0.0)
    return Figures(len(rows), *(sum(column) / len(rows) for column in zip(*rows, strict=True)))


def recall(ranking: Sequence[Item], grades: Mapping[Item, float], at: int) -> float:
    """Return the share of what is right that is among the first ``at``."""
    right = {item for item, grade in grades.items() if grade > 0}
    return len(right.intersection(ranking[:at])) / len(right)


def ndcg(ranking: Sequence[Item], grades: Mapping[Item, float]) -> float:
    """Return the discounted gain of the first ten, as a share of the best that is possible."""
    best = sorted((grade for grade in grades.values() if grade > 0), reverse=True)
    return _gain([max(0.0, grades.get(item, 0.0)) for item in ranking]) / _gain(best)


def reciprocal_rank(ranking: Sequence[Item], grades: Mapping[Item, float]) -> float:
    """Return 1 by the rank of the first that is right, or 0 if it is not among the first ten."""
    return next((1 / rank for rank, item in enumerate(ranking[:DEPTH], start=1) if grades.get(item, 0.0) > 0), 0.0)


def _gain(grades: Sequence[float]) -> float:
    return sum(grade / log2(rank + 1) for rank, grade in enumerate(grades[:DEPTH], start=1))
