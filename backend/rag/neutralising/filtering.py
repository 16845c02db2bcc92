"""Neutralises an answer while it streams."""

import re
from enum import Enum, auto

from backend.rag.neutralising.defusing import Prose
from backend.rag.neutralising.fences import Fence
from backend.rag.neutralising.links import written_out

HELD_CHARACTERS = 2048
"""No more than this is ever held back; what is longer is not understood as a link or as code, and is taken apart all the same."""

_PLAIN = re.compile(r"[^\n!\[`]+")
_PERHAPS_A_FENCE = re.compile(r" {0,3}(?:`{0,3}|~{0,3})")
_LONGEST_START = 6


class _Reading(Enum):
    """What is being read; all but ``PROSE`` and ``FENCE`` hold back what they read."""

    LINE_START = auto()
    PROSE = auto()
    BANG = auto()
    BRACKET = auto()
    TARGET = auto()
    TICKS = auto()
    CODE = auto()
    FENCE = auto()


class Neutraliser:
    """Lets an answer through as text that makes no renderer load, run or follow anything that the reader did not see.

    - An image becomes its alternative text; its address is dropped.
    - A link becomes its text and, if it is http, https or mailto, the address in parentheses: ``Acme (https://acme.example/)``. A
      renderer may make the address clickable again, but what is clicked is what is read. Other addresses are dropped.
    - A tag, comment or ``<autolink>`` loses its angle bracket to the letter ``‹``. ``a < b`` and ``<3`` stay.
    - Definitions of link targets (``[1]: https://...``) are taken apart by a blank.
    - Code keeps its text: fences that are indented by at most three blanks, and code in a line. Where renderers may disagree on
      what is code, it is treated as prose.

    Markers of citations survive. Lines come out ended by LF. The output does not depend on how the text was cut into pieces. Links,
    code in a line and the first line of a fence are held back until they are complete, but never more than ``HELD_CHARACTERS``.
    Linear. Put it behind ``MarkerFilter``: taking a marker out may bring together what had been apart.
    """

    def __init__(self) -> None:
        self._prose = Prose()
        self._reading = _Reading.LINE_START
        self._held: list[str] = []
        self._depth = 0
        self._escaped = False
        self._ticks = 0
        self._run = 0
        self._fence: Fence | None = None
        self._links = 0
        self._after_return = False

    @property
    def neutralised(self) -> int:
        """How much was changed so far."""
        return self._links + self._prose.changes

    def feed(self, text: str) -> str:
        """Return what can be shown by now."""
        if "\r" in text or self._after_return:
            text = self._with_line_feeds(text)
        out: list[str] = []
        position = 0
        while position < len(text):
            plain = _PLAIN.match(text, position) if self._reading is _Reading.PROSE else None
            if plain:
                out.append(self._prose.write(plain[0]))
                position = plain.end()
            else:
                self._take(text[position], out)
                position += 1
        return "".join(out)

    def finish(self) -> str:
        """Return the rest. The filter is not used afterwards."""
        out: list[str] = []
        while self._reading not in (_Reading.PROSE, _Reading.FENCE):
            self._release(out)
        return "".join(out) + self._prose.rest()

    def _with_line_feeds(self, text: str) -> str:
        """Every renderer ends a line at a carriage return, too."""
        if not text:
            return text
        if self._after_return:
            text = text.removeprefix("\n")
        self._after_return = text.endswith("\r")
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def _take(self, character: str, out: list[str]) -> None:
        if len(self._held) >= HELD_CHARACTERS:
            self._run = 0  # The last backticks of what is held may not be the whole run.
            self._release(out)
        match self._reading:
            case _Reading.PROSE:
                self._in_prose(character, out)
            case _Reading.FENCE:
                self._in_fence(character, out)
            case _Reading.LINE_START:
                self._at_line_start(character, out)
            case _Reading.TICKS | _Reading.CODE:
                self._in_code(character, out)
            case _:
                self._in_link(character, out)

    def _in_prose(self, character: str, out: list[str]) -> None:
        if character in "![":
            self._hold(_Reading.BANG if character == "!" else _Reading.BRACKET, character)
            self._depth = 1
        elif character == "`" and self._prose.code_is_sure():
            self._hold(_Reading.TICKS, character)
        else:
            if character == "`":
                self._prose.doubt()
            out.append(self._prose.write(character))
            if character == "\n":
                self._reading = _Reading.LINE_START

    def _in_fence(self, character: str, out: list[str]) -> None:
        verdict = self._fence.take(character) if self._fence else "lost"
        if verdict != "lost":
            out.append(character)
        if verdict != "inside":
            self._prose.fenced()
            self._fence = None
            self._reading = _Reading.LINE_START
        if verdict == "lost":
            self._prose.trusted = False
            self._take(character, out)

    def _at_line_start(self, character: str, out: list[str]) -> None:
        line = "".join(self._held)
        if character == "\n":
            self._fence = Fence.opened_by(line) if self._prose.trusted else None
            if self._fence:
                self._held.clear()
                self._reading = _Reading.FENCE
                out.append(line + character)
                return
        elif len(line) >= _LONGEST_START or line.lstrip(" ")[:3] in ("```", "~~~") or _PERHAPS_A_FENCE.fullmatch(line + character):
            self._held.append(character)
            return
        self._release(out)
        self._take(character, out)

    def _in_code(self, character: str, out: list[str]) -> None:
        if character == "`":
            self._run += 1
            self._held.append(character)
            return
        if self._reading is _Reading.TICKS:
            self._reading, self._ticks = _Reading.CODE, len(self._held)
        elif self._run == self._ticks or character == "\n":
            self._release(out)
            self._take(character, out)
            return
        self._run = 0
        if character == "\n":
            self._release(out)
            self._take(character, out)
        else:
            self._held.append(character)

    def _in_link(self, character: str, out: list[str]) -> None:
        """Read ``[text](target)``, or an image, up to the bracket and then the parenthesis that closes it."""
        opener, closer = "()" if self._reading is _Reading.TARGET else "[]"
        begins = self._reading is _Reading.BANG or (self._reading is _Reading.TARGET and not self._depth)
        if character == "\n" or (begins and character != opener):
            self._release(out)
            self._take(character, out)
            return
        self._held.append(character)
        if self._reading is _Reading.BANG:
            self._reading = _Reading.BRACKET
        elif self._escaped or character == "\\":
            self._escaped = not self._escaped
        elif character in (opener, closer):
            self._depth += 1 if character == opener else -1
            if not self._depth:
                self._end_of_part(out)

    def _end_of_part(self, out: list[str]) -> None:
        if self._reading is _Reading.BRACKET:
            self._reading = _Reading.TARGET
        else:
            self._release(out)

    def _hold(self, reading: _Reading, character: str) -> None:
        self._reading = reading
        self._held.append(character)
        self._escaped, self._run = False, 1

    def _release(self, out: list[str]) -> None:
        """Let go of what is held back, whether it is complete or not."""
        reading, self._reading = self._reading, _Reading.PROSE
        text = "".join(self._held)
        self._held.clear()
        if reading is _Reading.LINE_START:
            for character in text:
                self._take(character, out)
        elif reading is _Reading.CODE and self._run == self._ticks and "|" not in text:  # In a table, a bar ends the code.
            out.append(self._prose.code(text))
        else:
            if "`" in text:
                self._prose.doubt()
            text, links = written_out(text)
            self._links += links
            out.append(self._prose.write(text))
