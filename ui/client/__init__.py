"""The API as the pages see it."""

from ui.client.api import Api, connect
from ui.client.errors import ApiError, unreadable
from ui.client.events import Event

__all__ = ["Api", "ApiError", "Event", "connect", "unreadable"]
