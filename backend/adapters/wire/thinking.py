"""Reasoning that a model writes into its answer, between ``<think>`` and ``</think>``."""

from typing import Final, Literal

_OPEN: Final = "<think>"
_CLOSE: Final = "</think>"


class ThinkingSplitter:
    """Takes reasoning out of a reply while it arrives, wherever the pieces cut its tags.

    It counts as reasoning only at the beginning, where models write it: the same tag later on is text. Blank space around it goes
    with it. What is not yet decided is held back, at most a tag long.
    """

    __slots__ = ("_held", "_state")

    def __init__(self) -> None:
        self._state: Literal["beginning", "thinking", "after", "answer"] = "beginning"
        self._held = ""

    def feed(self, text: str) -> tuple[str, str]:
        """Return what is decided of the answer, and of the reasoning."""
        if self._state == "answer":
            return text, ""
        text, self._held = self._held + text, ""
        thinking = ""
        if self._state == "beginning":
            text = self._begin(text)
        if self._state == "thinking":
            text, thinking = self._think(text)
        if self._state == "after" and (text := text.lstrip()):
            self._state = "answer"
        return text, thinking

    def finish(self) -> tuple[str, str]:
        """Return what was held back at the end of the reply, as the answer and as reasoning."""
        held, self._held = self._held, ""
        return ("", held) if self._state == "thinking" else (held, "")

    def _begin(self, text: str) -> str:
        """Decide whether it begins with reasoning; return the text that follows, ``""`` while that is not decided."""
        said = text.lstrip()
        if said.startswith(_OPEN):
            self._state = "thinking"
            return said.removeprefix(_OPEN)
        if _OPEN.startswith(said):
            self._held = text
            return ""
        self._state = "answer"
        return text

    def _think(self, text: str) -> tuple[str, str]:
        """Return what follows the reasoning, and the reasoning itself."""
        thinking, closed, rest = text.partition(_CLOSE)
        if closed:
            self._state = "after"
            return rest, thinking
        kept = next((size for size in range(len(_CLOSE) - 1, 0, -1) if text.endswith(_CLOSE[:size])), 0)
        self._held = text[len(text) - kept :]
        return "", text[: len(text) - kept]
