"""Markers in answers: filtered while they stream, and resolved to quotes at the end."""

from backend.rag.citations.filtering import MarkerFilter
from backend.rag.citations.resolving import Citation, resolve

__all__ = ["Citation", "MarkerFilter", "resolve"]
