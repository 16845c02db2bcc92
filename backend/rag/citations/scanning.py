"""Finds the markers in an answer, however it is cut into pieces."""

import re
from dataclasses import dataclass
from typing import Literal

_NUMBERS = r"[0-9]{1,3}(?: *[,;] *[0-9]{1,3})*"
_MARKER = re.compile(rf"\[ *({_NUMBERS}) *\]|【 *({_NUMBERS}) *(?:†[^】]*)?】")
_CLOSERS = {"[": "]", "【": "】"}
_INSIDE_BRACKETS = frozenset("0123456789,; ")
_NOT_INSIDE_LENTICULAR = frozenset("\n`[【")
_ALPHANUMERIC = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")

HELD_CHARACTERS = 24
"""A bracket that is longer is no marker; so no more than this is ever held back."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an answer as it was written: text, or a marker if it has ``numbers``.

    ``attached`` says that the marker directly follows a word with an underscore inside, and is an index rather: ``my_list[1]``.
    """

    text: str
    numbers: tuple[int, ...] = ()
    attached: bool = False


class Scanner:
    """Cuts a stream of text into text and markers.

    A marker is ``[1]``, ``[1, 2]``, ``[1; 2]``, ``【1】`` or ``【1†...】`` with numbers from 1 to 999. No markers are: the text of
    a Markdown link (``[1](...)``), and anything in inline code, up to the end of its line, or in a code fence. The parts together
    are the text that was fed.
    """

    def __init__(self) -> None:
        self._plain: list[str] = []
        self._held = ""
        self._closed = False
        self._attached = False
        self._word: Literal["", "plain", "underscored", "joined"] = ""
        self._chained = False
        self._ticks = 0
        self._code = 0

    def feed(self, text: str) -> list[Part]:
        """Return what is certain by now."""
        parts: list[Part] = []
        for character in text:
            if not self._held or not self._hold(character, parts):
                self._pass(character)
        self._flush(parts)
        return parts

    def finish(self) -> list[Part]:
        """Return the rest."""
        parts: list[Part] = []
        if self._held:
            self._release(parts, is_link=False)
        self._flush(parts)
        return parts

    def _hold(self, character: str, parts: list[Part]) -> bool:
        """Take a character into the bracket that is held back; if it does not belong there, release the bracket."""
        if not self._closed and len(self._held) < HELD_CHARACTERS:
            opener = self._held[0]
            if character == _CLOSERS[opener]:
                self._held += character
                self._closed = True
                return True
            if character in _INSIDE_BRACKETS if opener == "[" else character not in _NOT_INSIDE_LENTICULAR:
                self._held += character
                return True
        self._release(parts, is_link=character == "(")
        return False

    def _release(self, parts: list[Part], *, is_link: bool) -> None:
        match = _MARKER.fullmatch(self._held) if self._closed and not is_link else None
        numbers = tuple(int(number) for number in re.findall(r"[0-9]+", match[1] or match[2])) if match else ()
        if numbers and min(numbers) > 0:
            self._flush(parts)
            parts.append(Part(self._held, numbers, self._attached))
            self._chained = self._attached
        else:
            self._plain.append(self._held)
        self._word = ""
        self._held = ""
        self._closed = False

    def _pass(self, character: str) -> None:
        if character == "`":
            self._ticks += 1
        else:
            self._end_ticks()
            if character == "\n" and self._code < 3:
                self._code = 0
            if character in _CLOSERS and not self._code:
                self._held = character
                # The second bracket of ``my_grid[1][2]`` belongs to the first.
                self._attached = character == "[" and (self._word == "joined" or self._chained)
                self._chained = False
                return
        self._chained = False
        self._spell(character)
        self._plain.append(character)

    def _spell(self, character: str) -> None:
        """Keep track of whether the word that is being written has an underscore inside; one around it is emphasis."""
        if character in _ALPHANUMERIC:
            self._word = "joined" if self._word in ("underscored", "joined") else "plain"
        elif character != "_":
            self._word = ""
        elif self._word == "plain":
            self._word = "underscored"

    def _end_ticks(self) -> None:
        """A run of backticks is over: it opens code, closes code that a run of its length opened, or is part of the code."""
        if self._ticks:
            if not self._code:
                self._code = self._ticks
            elif self._ticks == self._code or self._ticks > self._code >= 3:
                self._code = 0
            self._ticks = 0

    def _flush(self, parts: list[Part]) -> None:
        if self._plain:
            parts.append(Part("".join(self._plain)))
            self._plain.clear()
