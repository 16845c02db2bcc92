"""Code fences of which every renderer says where they begin and end."""

import re
from typing import Literal

_OPENING = re.compile(r"( {0,3})(`{3,}|~{3,})[ \t]*[\w+#.-]*[ \t]*")
_CLOSING = re.compile(r"( *)(`{3,}|~{3,})[ \t]*")
_LOOKS_CLOSING = re.compile(r"\s*(`{3,}|~{3,})")
_SEEN_CHARACTERS = 4096

Verdict = Literal["inside", "closed", "lost"]


class Fence:
    """A fence that was opened by ``marks`` at ``indent`` blanks, at most three.

    It may stand in an item of a list, whose end would be its end too; but no item ends at a line that is indented like the fence.
    """

    def __init__(self, indent: int, marks: str) -> None:
        self._indent = indent
        self._marks = marks
        self._line = ""

    @classmethod
    def opened_by(cls, line: str) -> "Fence | None":
        """Return the fence that a line opens, if it does so beyond doubt."""
        opening = _OPENING.fullmatch(line)
        return cls(len(opening[1]), opening[2]) if opening else None

    def take(self, character: str) -> Verdict:
        """Tell where a character stands; a line's end that closes the fence is ``closed``, one that may close it is ``lost``."""
        if character == "\n":
            line, self._line = self._line, ""
            return self._verdict(line)
        if character not in " \t" and not self._line.strip(" \t") and "\t" not in self._line and len(self._line) < self._indent:
            return "lost"
        if len(self._line) < _SEEN_CHARACTERS:
            self._line += character
        return "inside"

    def _verdict(self, line: str) -> Verdict:
        looks = _LOOKS_CLOSING.match(line)
        if not looks or not looks[1].startswith(self._marks):
            return "inside"
        closing = _CLOSING.fullmatch(line)
        return "closed" if closing and len(closing[1]) == self._indent and len(line) < _SEEN_CHARACTERS else "lost"
