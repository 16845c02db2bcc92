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

    @property
    def dialog(self) -> Locator:
        """What stands before the page. Popovers have the role of a dialog too, so that is not asked for."""
        return self.page.get_by_test_id("stDialog")

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
        field = self.page.get_by_role("textbox", name=words.TITLE)
        rename = self.page.get_by_role("button", name=words.RENAME)
        await self._settings(field.or_(rename))
        if not await field.count():
            await rename.first.click()
        await field.first.fill(title)
        await self.page.get_by_role("button", name=words.SAVE).last.click()
        await expect(self.conversation(title)).to_be_visible()

    async def delete(self) -> None:
        """Delete the open conversation, and say so twice."""
        delete = self.page.get_by_role("button", name=words.DELETE)
        await self._settings(delete)
        await delete.last.click()
        really = self.dialog.get_by_role("button", name=words.REALLY_DELETE).first
        await expect(really).to_be_visible()
        if await self.page.get_by_test_id("stPopoverBody").count():
            # A menu that is still open may lie on the dialog: a click beside it closes it.
            await self.dialog.get_by_role("dialog").first.click(position={"x": 8, "y": 8})
        await really.click()
        await expect(self.dialog).to_have_count(0)

    async def _settings(self, wanted: Locator) -> None:
        """Open what can be done with the conversation, unless it is open."""
        await self.settled()
        if not await wanted.first.is_visible():
            await self.page.get_by_role("button", name=words.SETTINGS).first.click()
        await expect(wanted.first).to_be_visible()
