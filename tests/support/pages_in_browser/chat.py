"""The chat, and the conversations beside it."""

import re

from playwright.async_api import Locator, expect

from tests.support.pages_in_browser import words
from tests.support.pages_in_browser.navigation import Docent


class ChatPage(Docent):
    """Questions, answers, sources, conversations."""

    async def open(self) -> None:
        await self.go(words.CHAT)
        await expect(self.box).to_be_visible()

    @property
    def box(self) -> Locator:
        """Where questions are written."""
        return self.page.get_by_placeholder(words.ASK)

    @property
    def answers(self) -> Locator:
        """What the assistant said, oldest first."""
        return self.page.locator('[data-testid="stChatMessage"]:has([data-testid*="ssistant"])')

    async def ask(self, question: str) -> None:
        """Send a question."""
        await self.box.fill(question)
        await self.box.press("Enter")

    async def answered(self) -> None:
        """Wait until no answer is being given, and the newest one can be given anew."""
        await expect(self.page.get_by_role("button", name=words.AGAIN).last).to_be_visible()
        await expect(self.stop_button).to_have_count(0)
        await self.settled()

    @property
    def stop_button(self) -> Locator:
        """What stops an answer."""
        return self.main.get_by_role("button", name=words.STOP)

    def chip(self, marker: int) -> Locator:
        """The source with that number, under the newest answer."""
        return self.answers.last.get_by_role("button", name=re.compile(rf"^\[?{marker}\b")).first

    async def open_source(self, marker: int) -> Locator:
        """Open a source, and return the passage that is highlighted."""
        await self.chip(marker).click()
        mark = self.dialog.locator("mark").first
        await expect(mark).to_be_visible()
        return mark

    async def close_dialog(self) -> None:
        """Go back to the page."""
        await self.dialog.get_by_role("button", name=words.CLOSE).last.click()
        await expect(self.dialog).to_have_count(0)

    def conversation(self, title: str) -> Locator:
        """A conversation in the sidebar."""
        return self.page.get_by_test_id("stSidebar").get_by_role("button", name=title).first

    async def rename(self, title: str) -> None:
        """Give the open conversation another title."""
        await self._choose(words.RENAME)
        await self.dialog.get_by_role("textbox", name=words.TITLE).fill(title)
        await self.dialog.get_by_role("button", name=words.RENAME).click()
        await expect(self.dialog).to_have_count(0)
        await expect(self.conversation(title)).to_be_visible()

    async def delete(self) -> None:
        """Delete the open conversation, and say so twice."""
        await self._choose(words.DELETE)
        await self.dialog.get_by_role("button", name=words.DELETE).click()
        await expect(self.dialog).to_have_count(0)

    async def _choose(self, action: re.Pattern[str]) -> None:
        """Choose from the menu of the open conversation, in the list: the one above its messages may be scrolled away."""
        await self.settled()
        await self.page.locator('[class*="st-key-conversation-row-open-"]').get_by_role("button", name=words.MENU).click()
        await self.page.get_by_role("menuitem", name=action).click()
        await expect(self.dialog).to_be_visible()
