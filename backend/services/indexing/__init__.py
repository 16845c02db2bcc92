"""Indexing: from an uploaded file to searchable chunks."""
