"""Questions, answers and the sources of answers."""

from backend.db.repositories.messages.repository import STOP_CHANNEL, MessageRepository

__all__ = ["STOP_CHANNEL", "MessageRepository"]
