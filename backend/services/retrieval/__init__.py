"""Retrieval: the dense and the lexical leg, fused, of one owner's ready documents."""

from backend.services.retrieval.legs import Deadlines
from backend.services.retrieval.ranking import LEXICAL_THRESHOLD
from backend.services.retrieval.retriever import DEPTH, Found, Retrieved, Retriever

__all__ = ["DEPTH", "LEXICAL_THRESHOLD", "Deadlines", "Found", "Retrieved", "Retriever"]
