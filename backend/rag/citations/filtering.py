"""Takes invented markers out of an answer while it streams."""

from collections.abc import Iterable

from backend.rag.citations.scanning import Part, Scanner


class MarkerFilter:
    """Lets an answer through and leaves only markers of the passages that the model was given.

    ``[1, 2]`` and ``【1】`` come out as ``[1][2]`` and ``[1]``; a marker with a number that nobody gave is removed, with the blank
    before it, and counted in ``invented``. A bracket directly after an ASCII letter, digit or underscore is left as it is,
    for it may be an index (``argv[1]``), and so are links, code and all other brackets. The output does not depend on how the text
    was cut into pieces. At most a blank and 24 characters are held back.
    """

    def __init__(self, known: Iterable[int]) -> None:
        self.invented = 0
        self._known = frozenset(known)
        self._scanner = Scanner()
        self._blank = ""
        self._removed = False

    def feed(self, text: str) -> str:
        """Return what can be shown by now."""
        return "".join(self._filtered(part) for part in self._scanner.feed(text))

    def finish(self) -> str:
        """Return the rest. The filter is not used afterwards."""
        rest = "".join(self._filtered(part) for part in self._scanner.finish())
        return rest if self._removed else rest + self._blank

    def _filtered(self, part: Part) -> str:
        if not part.numbers or part.attached:
            text = part.text if self._removed else self._blank + part.text
            self._removed = False
            self._blank = " " if text.endswith(" ") else ""
            return text.removesuffix(" ")
        numbers = dict.fromkeys(part.numbers)
        known = [number for number in numbers if number in self._known]
        self.invented += len(numbers) - len(known)
        if not known:
            # What follows decides about the blank: another marker still wants it.
            self._removed = True
            return ""
        text = self._blank + "".join(f"[{number}]" for number in known)
        self._blank, self._removed = "", False
        return text
