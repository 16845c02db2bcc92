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
        """Choose files, which uploads them at once, and wait until the list has them."""
        await self.page.locator("input[type=file]").first.set_input_files(list(files))
        for file in files:
            await expect(self.facts(file.name)).to_be_visible()

    def facts(self, filename: str) -> Locator:
        """What the list says of a file. The field above it knows the names as well, hidden."""
        return self.main.get_by_test_id("stCaptionContainer").filter(has_text=f"{filename} ·").first

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
