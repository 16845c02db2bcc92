"""Questions that nobody has asked before: what an embedder was asked once is remembered."""

from collections.abc import Iterator

import numpy as np

from benchmarks.owners.building import passages

WORDS = 8


def questions(seed: int = 11) -> Iterator[str]:
    """Yield questions without an end, each of some words of one passage, each another."""
    random = np.random.default_rng(seed)
    vocabularies = [sorted(set(text.split())) for text in passages()]
    asked: set[str] = set()
    while True:
        words = vocabularies[random.integers(len(vocabularies))]
        question = " ".join(random.choice(words, min(WORDS, len(words)), replace=False))
        if question not in asked:
            asked.add(question)
            yield question
