"""The pages without a browser: Streamlit's own test of an app, in the name of somebody who is signed in."""

import asyncio
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ui.parts import access

APP = Path(__file__).parents[2] / "ui" / "app.py"
ANSWERS_WITHIN_SECONDS = 60


class Visit:
    """Somebody's visit of the pages. The scripts run in a thread, so that servers of the test's own loop can answer them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, api_url: str, token: str | None) -> None:
        monkeypatch.setenv("UI_API_URL", api_url)
        monkeypatch.setattr(access, "token", lambda: token)
        self.app = AppTest.from_file(str(APP), default_timeout=ANSWERS_WITHIN_SECONDS)

    async def open(self, view: str | None = None) -> AppTest:
        """Open a page: ``documents``, ``account``, ``admin``, or the chat."""
        await self.run()
        if view is not None:
            self.app.switch_page(f"views/{view}.py")
            await self.run()
        return self.app

    async def run(self) -> AppTest:
        """Run the page again, after a click or an input."""
        await asyncio.to_thread(self.app.run)
        return self.app

    @property
    def text(self) -> str:
        """Everything that the page shows as text."""
        kinds = (
            "title",
            "header",
            "subheader",
            "markdown",
            "caption",
            "text",
            "info",
            "success",
            "warning",
            "error",
            "code",
            "metric",
        )
        shown = [str(getattr(element, "value", "")) for kind in kinds for element in self.app.get(kind)]
        return "\n".join([*shown, *(str(button.label) for button in self.app.button)])
