"""Conversations: the list beside the chat, and what can be done with the one that is open."""

from ui.parts.conversations.address import go_to, open_session
from ui.parts.conversations.choices import session_for_first_question, settings
from ui.parts.conversations.listing import sidebar

__all__ = ["go_to", "open_session", "session_for_first_question", "settings", "sidebar"]
