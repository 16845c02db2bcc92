"""Takes invented markers out of an answer while it streams."""

from collections.abc import Iterable

from backend.rag.citations.scanning import HELD_CHARACTERS, Part, Scanner, may_become_marker

_IN_A_BRACKET = "[…]"
"""What breaks a marker that would come together where another one was taken out: neither numbers nor notes hold it."""


class MarkerFilter:
    """Lets an answer through and leaves only markers of the passages that the model was given.

    However a marker is written, it comes out as ``[1]``: ``[1, 2]``, ``[1-2]`` and ``[[1], [2]]`` as ``[1][2]``. One with a number
    that nobody gave is removed, with the blank before it, and counted in ``invented``; one whose end is missing at the end of the
    answer is removed, too. A bracket directly after a word with an underscore inside is left as it is, for it is an index
    (``my_list[7]``), and so are links with known numbers, code and all other brackets. Removing never makes a marker of what is
    around: ``[[9]/7]`` becomes ``[[…]/7]``. The output does not depend on how the text was cut into pieces. At most a blank and 40
    characters are held back.
    """

    def __init__(self, known: Iterable[int]) -> None:
        self.invented = 0
        self._known = frozenset(known)
        self._scanner = Scanner()
        self._blank = ""
        self._removed = False
        self._tail = ""

    def feed(self, text: str) -> str:
        """Return what can be shown by now."""
        return "".join(self._filtered(part) for part in self._scanner.feed(text))

    def finish(self) -> str:
        """Return the rest. The filter is not used afterwards."""
        rest = "".join(self._filtered(part) for part in self._scanner.finish())
        return rest if self._removed else rest + self._blank

    def _filtered(self, part: Part) -> str:
        if part.is_cut:
            self._removed = True
            return ""
        if not part.numbers:
            return self._shown(part.text)
        known = [number for number in part.numbers if number in self._known]
        if part.attached or (part.is_link and len(known) == len(part.numbers)):
            return self._shown(part.text)
        self.invented += len(part.numbers) - len(known)
        if known:
            text = self._blank + "".join(f"[{number}]" for number in known)
            self._blank, self._removed, self._tail = "", False, ""
            return text
        if may_become_marker(self._tail):
            return self._shown(_IN_A_BRACKET)
        # What follows decides about the blank: another marker still wants it.
        self._removed = True
        return ""

    def _shown(self, text: str) -> str:
        self._tail = self._tail.removesuffix(" ")
        if not self._removed or text[0].isalnum() or text[0] == "(":
            text = self._blank + text
        elif self._tail.endswith("`") and text.startswith("`"):
            text = " " + text  # Two runs of backticks must not become one.
        self._removed = False
        self._tail = (self._tail + text)[-HELD_CHARACTERS:]
        self._blank = " " if text.endswith(" ") else ""
        return text.removesuffix(" ")
