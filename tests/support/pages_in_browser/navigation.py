"""Going from page to page as people do."""

import re

from playwright.async_api import Locator, Page, expect


class Docent:
    """What all pages have."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def main(self) -> Locator:
        """The page without its sidebar."""
        return self.page.get_by_role("main")

    @property
    def dialog(self) -> Locator:
        """What stands before the page. Popovers have the role of a dialog too, so that is not asked for."""
        return self.page.get_by_test_id("stDialog")

    async def go(self, name: re.Pattern[str]) -> None:
        """Choose a page in the sidebar, and wait until it is there."""
        await self.page.get_by_role("link", name=name).first.click()
        await self.settled()

    async def settled(self) -> None:
        """Wait until the page's script has run."""
        await expect(self.page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')).to_be_attached()

    async def choose_tab(self, name: re.Pattern[str]) -> None:
        """Open a part of a page: a tab, or a choice of a segmented control."""
        tabs = self.page.get_by_role("tab", name=name).or_(self.page.get_by_role("radio", name=name))
        await tabs.or_(self.main.get_by_role("button", name=name)).first.click()
        await self.settled()
