"""The ``docent`` command."""

from backend.cli import ask, check, maintain, serve, users
from backend.cli.commands import app

__all__ = ["app", "ask", "check", "maintain", "serve", "users"]
