"""The page of one's own account."""

import re

from playwright.async_api import expect

from tests.support.pages_in_browser import words
from tests.support.pages_in_browser.navigation import Docent


class AccountPage(Docent):
    """Profile, keys, sign-ins and usage."""

    async def open(self) -> None:
        await self.go(words.ACCOUNT)

    async def make_key(self, name: str) -> str:
        """Make a key, and return the curl line that is shown with it."""
        await self.choose_tab(words.API_KEYS)
        await self.main.get_by_role("textbox", name=words.KEY_NAME).fill(name)
        await self.main.get_by_role("button", name=words.MAKE_KEY).click()
        line = self.dialog.get_by_test_id("stCode").locator("code").filter(has_text=re.compile(r"^curl "))
        await expect(line).to_be_visible()
        return (await line.inner_text()).strip()

    async def keep_key(self) -> None:
        """Say that the key is kept."""
        await self.dialog.get_by_role("button", name=words.KEPT).click()
        await expect(self.dialog).to_have_count(0)
