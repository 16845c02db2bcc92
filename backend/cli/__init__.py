"""The ``docent`` command."""

from backend.cli import ask, maintain, serve, users
from backend.cli.commands import app

__all__ = ["app", "ask", "maintain", "serve", "users"]
