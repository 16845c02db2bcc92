"""The page of the documents."""

from collections.abc import Sequence
from pathlib import Path

from playwright.async_api import Locator, expect

from tests.support.pages_in_browser import words
from tests.support.pages_in_browser.navigation import Docent


class DocumentsPage(Docent):
    """What was uploaded, and how far it is."""

    async def open(self) -> None:
        await self.go(words.DOCUMENTS)
        await expect(self.page.locator("input[type=file]").first).to_be_attached()

    async def add(self, files: Sequence[Path]) -> None:
        """Choose files, and upload them where that takes a click of its own."""
        await self.page.locator("input[type=file]").first.set_input_files(list(files))
        upload = self.page.get_by_role("button", name=words.UPLOAD)
        # The uploader itself shows the names as well, but not as text of the page.
        listed = self.main.locator('[data-testid="stMarkdownContainer"], [data-testid="stCaptionContainer"]')
        await expect(upload.or_(listed.filter(has_text=files[-1].name)).first).to_be_visible()
        if await upload.count():
            await upload.click()

    @property
    def at_work(self) -> Locator:
        """What says that a document is being read."""
        return self.main.get_by_text(words.AT_WORK)

    @property
    def ready(self) -> Locator:
        """What says that a document can be searched."""
        return self.main.get_by_text(words.READY)

    @property
    def failed(self) -> Locator:
        """What says that a document could not be read."""
        return self.main.get_by_text(words.FAILED)
