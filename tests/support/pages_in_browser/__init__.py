"""The pages in a real browser: one small class per page, over roles and words, and a witness of what must never happen."""

from tests.support.pages_in_browser.account import AccountPage
from tests.support.pages_in_browser.chat import ChatPage
from tests.support.pages_in_browser.documents import DocumentsPage
from tests.support.pages_in_browser.house import House
from tests.support.pages_in_browser.way_in import WayIn
from tests.support.pages_in_browser.witness import Witness

__all__ = ["AccountPage", "ChatPage", "DocumentsPage", "House", "WayIn", "Witness"]
