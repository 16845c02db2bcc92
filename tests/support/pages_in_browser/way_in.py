"""The way in, and the way out."""

from playwright.async_api import Page, expect

from tests.support.pages_in_browser import words


class WayIn:
    """The welcome page and the API's own forms."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def register(self, username: str, password: str) -> None:
        """Open an account from the welcome page, and arrive at the chat."""
        await self.page.get_by_role("link", name=words.OPEN_AN_ACCOUNT).first.click()
        await self.page.get_by_label(words.USERNAME).fill(username)
        await self.page.get_by_label(words.EMAIL).fill(f"{username}@example.com")
        await self.page.get_by_label(words.PASSWORD).fill(password)
        await self.page.get_by_role("button", name=words.OPEN_THE_ACCOUNT).click()
        await self.is_in()

    async def is_in(self) -> None:
        """Wait for the chat of somebody who is signed in."""
        await expect(self.page.get_by_placeholder(words.ASK)).to_be_visible()

    async def is_out(self) -> None:
        """Wait for the page that strangers see."""
        await expect(self.page.get_by_role("link", name=words.SIGN_IN).first).to_be_visible()
        await expect(self.page.get_by_placeholder(words.ASK)).to_have_count(0)

    async def sign_out(self) -> None:
        """Leave, by one click."""
        await self.page.get_by_role("button", name=words.SIGN_OUT).click()
        await self.is_out()
