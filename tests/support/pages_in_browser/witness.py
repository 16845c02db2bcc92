"""Sees all that happens in a browser's profile, and remembers what must not."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Page, WebError

# Runs in each page before its own scripts do: what flashes up between two looks of a test is noticed as well.
_WATCH = r"""
(() => {
  const bad = /Traceback \(most recent call last\)|File "[^"]+", line \d+|\bat [\w.]+ \([^)]*:\d+:\d+\)|\w+(Error|Exception): /;
  const look = (node) => {
    const element = node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement;
    const text = node.textContent || "";
    const kind = '[data-testid="stException"]';
    const shown = element && (element.closest(kind) || element.querySelector(kind));
    if (shown || bad.test(text)) console.error("DOCENT-TRACEBACK " + text.slice(0, 500));
  };
  new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === "characterData") look(change.target);
      for (const node of change.addedNodes) if (!["SCRIPT", "STYLE"].includes(node.nodeName)) look(node);
    }
  }).observe(document, {subtree: true, childList: true, characterData: true});
})();
"""
_OWN_SCHEMES = {"data", "blob", "about"}


class Witness:
    """What happened in a profile, all tabs of it: errors in the console, requests to other hosts, exceptions that were shown.

    ``complaints`` is empty as long as all is well.
    """

    def __init__(self, host: str) -> None:
        self.complaints: list[str] = []
        self._host = host
        self._lenient = False

    async def watch(self, context: BrowserContext) -> None:
        """Look at all that happens there from now on."""
        await context.add_init_script(_WATCH)
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("request", lambda request: self._requested(request.url))
        context.on("page", self._opened)

    @contextmanager
    def while_the_server_is_away(self) -> Iterator[None]:
        """Overlook, within the block, that the browser complains about connections; never what a page shows, or who is called."""
        self._lenient = True
        try:
            yield
        finally:
            self._lenient = False

    def _opened(self, page: Page) -> None:
        page.on("websocket", lambda socket: self._requested(socket.url))
        page.on("crash", lambda _: self.complaints.append("the page crashed"))

    def _console(self, message: ConsoleMessage) -> None:
        shown = message.text.startswith("DOCENT-TRACEBACK")
        if message.type == "error" and (shown or not self._lenient):
            self.complaints.append(f"console: {message.text} ({message.location})")

    def _error(self, error: WebError) -> None:
        if not self._lenient:
            self.complaints.append(f"script: {error.error}")

    def _requested(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in _OWN_SCHEMES and parts.hostname != self._host:
            self.complaints.append(f"request to another host: {url}")
