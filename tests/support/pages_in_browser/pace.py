"""How fast a page follows: when each word was said by the model, and when the browser showed it."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from time import time
from typing import Any

from aiohttp import web
from playwright.async_api import Page, expect

from tests.support.ollama import StandInOllama
from tests.support.ollama.faults import Fault
from tests.support.ollama.streams import ReplyStream
from tests.support.pages_in_browser.chat import ChatPage

# Notes when the highest number of the words `w0 w1 ...` that the page shows has grown.
_NOTE = r"""
() => {
  window.docentWords = [];
  let highest = -1;
  new MutationObserver(() => {
    const shown = document.querySelector("main, [role=main], section") ? document.body.innerText : "";
    const at = shown.lastIndexOf(" w");
    const found = at < 0 ? null : /^ w(\d+)/.exec(shown.slice(at));
    if (found && +found[1] > highest) { highest = +found[1]; window.docentWords.push([highest, Date.now() / 1000]); }
  }).observe(document.body, {subtree: true, childList: true, characterData: true});
}
"""


class ClockedOllama(StandInOllama):
    """Remembers when it has sent each piece of its newest stream, in seconds since the epoch."""

    def __init__(self, *, words: int, interval: float) -> None:
        super().__init__(reply=[f"w{number} " for number in range(words)], interval=interval)
        self.sent: list[float] = []

    async def _counted(self, request: web.Request, reply: ReplyStream, fault: Fault) -> web.StreamResponse:
        self.sent.clear()
        write = reply._write

        async def clocked(*sent: Any) -> None:
            await write(*sent)
            self.sent.append(time())

        reply._write = clocked  # type: ignore[assignment, method-assign] # to know when
        return await super()._counted(request, reply, fault)


@dataclass(frozen=True, slots=True)
class Pace:
    """``took``: the seconds of the model from its first word to its last; ``lags``: the browser's seconds behind, word by word."""

    took: float
    lags: Sequence[float]
    """For each change of the page: how old the newest word on it is."""

    @property
    def ratio(self) -> float:
        """The time until the browser had the last word, as a multiple of the model's own."""
        return (self.took + self.lags[-1]) / self.took

    def __str__(self) -> str:
        p95 = quantiles(self.lags, n=20)[-1]
        return (
            f"the model spoke for {self.took:.1f} s; behind it: median {median(self.lags) * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms, "
            f"at the end {self.lags[-1] * 1000:.0f} ms; {self.ratio:.3f} of its time; {len(self.lags)} changes of the page"
        )


async def pace_of_an_answer(page: Page, model: ClockedOllama, words: int) -> Pace:
    """Ask on an open chat, and follow the answer to its end."""
    chat = ChatPage(page)
    await page.evaluate(_NOTE)
    await chat.ask("Count, please.")
    await expect(chat.answers.last).to_contain_text(f"w{words - 1}")
    noted = await page.evaluate("window.docentWords")
    await chat.answered()
    # Behind the words comes the line that says that all is said.
    said = model.sent[:words]
    return Pace(said[-1] - said[0], [at - said[number] for number, at in noted])


def streamlit_seconds(pid: int) -> float:
    """Return the processor time that the pages' process below this one has used."""
    ticks = 0
    for child in _below(pid):
        if b"streamlit" in Path(f"/proc/{child}/cmdline").read_bytes():
            fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _below(pid: int) -> list[int]:
    children = [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in re.findall(r"\d+", (task / "children").read_text())
    ]
    return children + [deeper for child in children for deeper in _below(child)]
