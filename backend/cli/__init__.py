"""The ``docent`` command."""

from backend.cli import ask, backups, maintain, serve, users
from backend.cli.commands import app

__all__ = ["app", "ask", "backups", "maintain", "serve", "users"]
