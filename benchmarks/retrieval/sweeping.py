"""What other weights and thresholds would give. Chosen on every second question, and reported on the others."""

from collections.abc import Mapping, Sequence
from itertools import product
from statistics import mean
from typing import TypeVar

from backend.rag.evaluation import Figures, figures
from backend.rag.fusion import fuse
from backend.services.retrieval import LEXICAL_THRESHOLD
from benchmarks.retrieval.asking import Asked
from benchmarks.retrieval.tables import measured

WEIGHTS = [number / 20 for number in range(21)]
COSINES = [number / 50 for number in range(5, 31)]
SHARES = [number / 50 for number in range(10, 41)]
Best = tuple[float, float]
"""The best cosine and the best share of idf of all that was found for a question."""
Each = TypeVar("Each")
WRONGLY = 0.05
"""How many of the questions that have an answer may be refused."""


def sweep(embedder: str, by_set: Mapping[str, Sequence[Asked]]) -> list[str]:
    """Return lines for people: the weights, then the thresholds."""
    return [*_weights(embedder, by_set), "", *_thresholds(embedder, by_set)]


def fused(asked: Sequence[Asked], weight: float) -> Figures:
    """Return the figures that another weight would have."""
    return figures((_ranking(one, weight), one.grades) for one in asked if one.grades)


def refused(bests: Sequence[Best], cosine: float, share: float) -> float:
    """Return how many of the questions would find nothing relevant under other thresholds, as a share."""
    return mean(nearest < cosine and largest < share for nearest, largest in bests)


def halves(asked: Sequence[Each]) -> tuple[Sequence[Each], Sequence[Each]]:
    """Return every second question, to choose by, and the others, to see whether the choice is any good."""
    return asked[::2], asked[1::2]


def _weights(embedder: str, by_set: Mapping[str, Sequence[Asked]]) -> list[str]:
    lines = [f"| {embedder}: dense_weight | " + " | ".join(f"{name} R@5 | {name} nDCG@10" for name in by_set) + " |"]
    lines.append("|---" * (1 + 2 * len(by_set)) + "|")
    for weight in WEIGHTS:
        found = [fused(asked, weight) for asked in by_set.values()]
        lines.append(f"| {weight:.2f} | " + " | ".join(f"{one.recall_5:.4f} | {one.ndcg_10:.4f}" for one in found) + " |")
    best = max(WEIGHTS, key=lambda weight: mean(_worth(fused(halves(asked)[0], weight)) for asked in by_set.values()))
    lines.append(f"\nBest on one half: {best:.2f}. On the other half:")
    for name, asked in by_set.items():
        other = halves(asked)[1]
        legs = [f"{leg} {_pair(measured(other, leg))}" for leg in ("dense", "lexical")]
        lines.append(f"- {name}: fused {_pair(fused(other, best))}, {', '.join(legs)} (R@5, nDCG@10)")
    return lines


def _thresholds(embedder: str, by_set: Mapping[str, Sequence[Asked]]) -> list[str]:
    own = {name: [_best(one) for one in asked if one.grades] for name, asked in by_set.items()}
    others = {name: [_best(one) for one in asked if not one.grades] for name, asked in by_set.items()}
    foreign = {name: bests for name, bests in others.items() if bests}
    if not foreign:
        return ["No thresholds: they need a second set, whose questions have no answer in the first."]
    names = list(foreign)
    head = " | ".join(f"{name}: own refused | foreign refused" for name in names)
    lines = [f"| {embedder}: cosine | share of idf | {head} |", "|---" * (2 + 2 * len(names)) + "|"]
    trade = {
        (cosine, share): [
            (refused(halves(own[name])[0], cosine, share), refused(halves(foreign[name])[0], cosine, share)) for name in names
        ]
        for cosine, share in product(COSINES, sorted({*SHARES, LEXICAL_THRESHOLD}))
    }
    for (cosine, share), judged in trade.items():
        if round(cosine * 50) % 2 == 0 and round(share * 50) % 5 == 0:
            numbers = " | ".join(f"{wrongly:.3f} | {rightly:.3f}" for wrongly, rightly in judged)
            lines.append(f"| {cosine:.2f} | {share:.2f} | {numbers} |")
    for title, shares in (("any share of idf", SHARES), (f"the product's {LEXICAL_THRESHOLD}", [LEXICAL_THRESHOLD])):
        tried = {pair: judged for pair, judged in trade.items() if pair[1] in shares and max(judged)[0] <= WRONGLY}
        if not tried:
            continue
        best = max(tried, key=lambda pair: mean(rightly for _, rightly in tried[pair]))
        lines.append(
            f"\nWith {title}, most foreign refused and at most {WRONGLY:.0%} of the own, on one half: {best}. On the other half:"
        )
        for name in names:
            wrongly, rightly = refused(halves(own[name])[1], *best), refused(halves(foreign[name])[1], *best)
            lines.append(f"- {name}: own refused {wrongly:.3f}, foreign refused {rightly:.3f}")
    return lines


def _best(one: Asked) -> Best:
    """Return by what it is decided whether anything is relevant."""
    dense, shares = [hit.dense for hit in one.candidates if hit.dense is not None], [hit.share for hit in one.candidates]
    return max(dense, default=-1.0), max(shares, default=0.0)


def _ranking(one: Asked, weight: float) -> list[str]:
    documents = {hit.passage: hit.document for hit in one.candidates}
    dense = [(hit.passage, hit.dense) for hit in one.candidates if hit.dense is not None]
    lexical = [(hit.passage, hit.lexical) for hit in one.candidates if hit.lexical is not None]
    return [documents[hit.chunk_id] for hit in fuse(dense, lexical, dense_weight=weight)]


def _worth(found: Figures) -> float:
    return found.recall_5 + found.ndcg_10


def _pair(found: Figures) -> str:
    return f"{found.recall_5:.3f} {found.ndcg_10:.3f}"
