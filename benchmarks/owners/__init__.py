"""Thousands of owners on one Chroma: memory, descriptors, and how long a search takes whose owner was long away.

The owners are written as indexing writes them, by the repositories and into Chroma, though without parsing and in one go. Then the
product is started on that folder as its users start it, and everything is asked of it, or beside it by its own retriever.
"""
