"""Conversations: the list beside the chat, and what can be done with the one that is open."""

from ui.parts.conversations.address import go_to, missing, open_session
from ui.parts.conversations.choices import keep_for_next, session_for_first_question, settings
from ui.parts.conversations.listing import sidebar

__all__ = ["go_to", "keep_for_next", "missing", "open_session", "session_for_first_question", "settings", "sidebar"]
