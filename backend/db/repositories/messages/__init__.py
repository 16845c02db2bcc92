"""Questions, answers and the sources of answers."""

from backend.db.repositories.messages.calls import FOLLOW_CHANNEL, STOP_CHANNEL
from backend.db.repositories.messages.repository import MessageRepository

__all__ = ["FOLLOW_CHANNEL", "STOP_CHANNEL", "MessageRepository"]
