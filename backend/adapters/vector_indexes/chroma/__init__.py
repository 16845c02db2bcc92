"""Chroma, spoken to over HTTP as a separate server.

chromadb takes two seconds to import, so nothing here touches it before the first call, and then in a thread.
"""

from backend.adapters.vector_indexes.chroma.index import ChromaVectorIndex
from backend.adapters.vector_indexes.chroma.sharded import ShardedChromaVectorIndex

__all__ = ["ChromaVectorIndex", "ShardedChromaVectorIndex"]
