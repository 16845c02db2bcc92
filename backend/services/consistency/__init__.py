"""Consistency: PostgreSQL, the vector index and the blob store say the same, or are made to."""
