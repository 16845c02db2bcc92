"""The ``docent`` command."""

from backend.cli import ask, maintain, serve
from backend.cli.commands import app

__all__ = ["app", "ask", "maintain", "serve"]
