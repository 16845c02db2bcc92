"""Answers as text that no Markdown renderer turns into requests, scripts or disguised links."""

from backend.rag.neutralising.filtering import Neutraliser

__all__ = ["Neutraliser"]
