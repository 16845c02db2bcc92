"""The ``docent`` command."""

from backend.cli import ask, maintain, reindex, serve, users
from backend.cli.commands import app

__all__ = ["app", "ask", "maintain", "reindex", "serve", "users"]
