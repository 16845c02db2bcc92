"""The ``docent`` command."""

from backend.cli import ask, backups, check, doctor, evaluate, maintain, models, reindex, serve, users
from backend.cli.commands import app

__all__ = ["app", "ask", "backups", "check", "doctor", "evaluate", "maintain", "models", "reindex", "serve", "users"]
