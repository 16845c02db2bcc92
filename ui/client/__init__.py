"""The API as the pages see it."""

from ui.client.api import Api
from ui.client.errors import ApiError
from ui.client.events import Event

__all__ = ["Api", "ApiError", "Event"]
