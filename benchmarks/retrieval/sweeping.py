"""What other weights and thresholds would give. Chosen on every second question, and reported on the others."""

from collections.abc import Mapping, Sequence
from itertools import product
from statistics import mean

from backend.rag.evaluation import Figures, figures
from backend.rag.fusion import fuse
from benchmarks.retrieval.asking import Asked
from benchmarks.retrieval.tables import measured

WEIGHTS = [number / 20 for number in range(21)]
COSINES = [number / 50 for number in range(5, 31)]
SHARES = [number / 50 for number in range(10, 41)]
WRONGLY = 0.05
"""How many of the questions that have an answer may be refused."""


def sweep(embedder: str, by_set: Mapping[str, Sequence[Asked]]) -> list[str]:
    """Return lines for people: the weights, then the thresholds."""
    return [*_weights(embedder, by_set), "", *_thresholds(embedder, by_set)]


def fused(asked: Sequence[Asked], weight: float) -> Figures:
    """Return the figures that another weight would have."""
    return figures((_ranking(one, weight), one.grades) for one in asked if one.grades)


def refused(asked: Sequence[Asked], cosine: float, share: float) -> float:
    """Return how many of the questions would find nothing relevant under other thresholds, as a share."""
    return mean(not any((hit.dense or 0.0) >= cosine or hit.share >= share for hit in one.candidates) for one in asked)


def halves(asked: Sequence[Asked]) -> tuple[list[Asked], list[Asked]]:
    """Return every second question, to choose by, and the others, to see whether the choice is any good."""
    return list(asked[::2]), list(asked[1::2])


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
    own = {name: [one for one in asked if one.grades] for name, asked in by_set.items()}
    foreign = {
        name: [one for one in asked if not one.grades] for name, asked in by_set.items() if any(not one.grades for one in asked)
    }
    if not foreign:
        return ["No thresholds: they need a second set, whose questions have no answer in the first."]
    names = list(foreign)
    head = " | ".join(f"{name}: own refused | foreign refused" for name in names)
    lines = [f"| {embedder}: cosine | share of idf | {head} |", "|---" * (2 + 2 * len(names)) + "|"]
    trade = {
        (cosine, share): [
            (refused(halves(own[name])[0], cosine, share), refused(halves(foreign[name])[0], cosine, share)) for name in names
        ]
        for cosine, share in product(COSINES, SHARES)
    }
    for (cosine, share), judged in trade.items():
        if round(cosine * 50) % 2 == 0 and round(share * 50) % 5 == 0:
            numbers = " | ".join(f"{wrongly:.3f} | {rightly:.3f}" for wrongly, rightly in judged)
            lines.append(f"| {cosine:.2f} | {share:.2f} | {numbers} |")
    bearable = {pair: judged for pair, judged in trade.items() if max(wrongly for wrongly, _ in judged) <= WRONGLY}
    best = max(bearable, key=lambda pair: mean(rightly for _, rightly in bearable[pair]))
    lines.append(
        f"\nMost foreign questions refused, with at most {WRONGLY:.0%} of the own, on one half: {best}. On the other half:"
    )
    for name in names:
        wrongly, rightly = refused(halves(own[name])[1], *best), refused(halves(foreign[name])[1], *best)
        lines.append(f"- {name}: own refused {wrongly:.3f}, foreign refused {rightly:.3f}")
    return lines


def _ranking(one: Asked, weight: float) -> list[str]:
    documents = {hit.passage: hit.document for hit in one.candidates}
    dense = [(hit.passage, hit.dense) for hit in one.candidates if hit.dense is not None]
    lexical = [(hit.passage, hit.lexical) for hit in one.candidates if hit.lexical is not None]
    return [documents[hit.chunk_id] for hit in fuse(dense, lexical, dense_weight=weight)]


def _worth(found: Figures) -> float:
    return found.recall_5 + found.ndcg_10


def _pair(found: Figures) -> str:
    return f"{found.recall_5:.3f} {found.ndcg_10:.3f}"
