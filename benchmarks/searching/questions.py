"""Questions that nobody has asked before: what an embedder was asked once is remembered."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from benchmarks.owners.building import passages

WORDS = 8
FREQUENT = 0.05
"""Words of more passages than this share are what a language's stop words are: PostgreSQL would leave them out of a question."""


def questions(seed: int = 11) -> Iterator[str]:
    """Yield questions without an end, each of some words of one passage, each another."""
    random = np.random.default_rng(seed)
    words_of = [set(text.split()) for text in passages()]
    frequencies = Counter(word for words in words_of for word in words)
    most = FREQUENT * len(words_of)
    vocabularies = [sorted(word for word in words if frequencies[word] <= most) for words in words_of]
    asked: set[str] = set()
    while True:
        words = vocabularies[random.integers(len(vocabularies))]
        question = " ".join(random.choice(words, min(WORDS, len(words)), replace=False))
        if question not in asked:
            asked.add(question)
            yield question
