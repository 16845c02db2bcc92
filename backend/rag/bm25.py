"""The part of BM25 that is not SQL."""

from math import log


def idf(document_frequency: int, corpus_size: int) -> float:
    """Return the weight of a lexeme that is in ``document_frequency`` of ``corpus_size`` chunks; never negative.

    Counts that are a moment out of step (more documents with the lexeme than documents) give 0 and not an error.

    Source: Robertson and Zaragoza, 2009, with Lucene's 1 inside the logarithm.
    """
    missing = max(0, corpus_size - document_frequency)
    return log(1.0 + missing / (document_frequency + 0.5)) if missing else 0.0


def matched_share(matched_idf: float, total_idf: float) -> float:
    """Return how much of a question's idf a chunk matched, 0 to 1; 0 for a question without weight, such as one of stop words."""
    return min(1.0, max(0.0, matched_idf / total_idf)) if total_idf > 0 else 0.0
