"""The pairs of characters without which Markdown and HTML have nothing that is active, taken apart."""

import re

_LINE_CHARACTERS = 4096
_PAIR = re.compile(r"(?<=!)(?=\[)|(?<=\])(?=[(:])|<(?=[^\s\d=<>-])")
_WORD = re.compile(r"[^\W\d_]{2}[^\W_]*(?![\w.)])")
_MARKER_AT_END = re.compile(r"\[[0-9]{1,3}\]\Z")
_BLANK = re.compile(r"[ \t]*")
_BLOCK = re.compile(r"[\s>*+\-#.)0-9:]*(?:```|~~~|\$\$|:::)")
_UNSURE = re.compile(r"[$\\]|[\w-][\[{]")
_ENDS_A_PAIR = re.compile(r"[<\[(:\n]")
_IN_ADDRESSES = frozenset(":/@.")


class Prose:
    """Writes prose so that no renderer finds an image, a link, a definition of one, or a tag in it; whatever the pieces are.

    ``![`` becomes ``! [`` and ``](`` becomes ``] (``; ``]:`` becomes ``] :`` where it could define the target of a link; and ``<``
    becomes ``‹``, which is a letter in Markdown, HTML and plain text, before anything that could make it a tag. Alone, this is
    enough to be safe, for every active construct of Markdown needs one of these pairs.

    It also remembers enough of what was written to tell where a renderer would surely see code.
    """

    def __init__(self) -> None:
        self.changes = 0
        self.trusted = True
        """Whether code fences are where we take them to be, for all that follows."""
        self._line = ""
        self._last = ""
        self._clean = True
        self._angle = ""

    def write(self, text: str) -> str:
        """Return the next piece of prose. A ``<`` at its end waits for what follows."""
        if not (self._angle or _ENDS_A_PAIR.search(text)):
            self._remember(text)
            return text
        text = self._angle + text
        self._angle = "<" if text.endswith("<") else ""
        first, *others = text.removesuffix("<").split("\n")
        out = [self._written(first)]
        for line in others:
            self._end_line()
            out += ["\n", self._written(line)]
        return "".join(out)

    def code(self, text: str) -> str:
        """Take note of a span of code, which is shown as it is."""
        before = self.rest()
        self._remember("`c`")
        return before + text

    def fenced(self) -> None:
        """Take note of the end of a code fence: what follows begins a block."""
        self._line, self._last, self._clean = "", "", True

    def rest(self) -> str:
        """Return what waits."""
        rest, self._angle = self._angle, ""
        self._remember(rest)
        return rest

    def doubt(self) -> None:
        """Say that a renderer could see code in this paragraph at other places than we do."""
        self._clean = False

    def code_is_sure(self) -> bool:
        """Tell whether every renderer sees code at a backtick that comes now, if its line has another one to close it.

        What could claim the backtick: mathematics, an escape, the label of a directive, or an address.
        """
        line = self._line
        if not (self.trusted and self._clean) or len(line) >= _LINE_CHARACTERS or _UNSURE.search(line):
            return False
        return _IN_ADDRESSES.isdisjoint(line[max(line.rfind(" "), line.rfind("\t")) + 1 :])

    def _written(self, text: str) -> str:
        pieces, begun = [], len(self._last)
        context = self._last + text
        for pair in _PAIR.finditer(context):
            if context[pair.start()] == ":" and self._is_cited(text[: pair.start() - len(self._last)]):
                continue
            pieces += [context[begun : pair.start()], "‹" if pair[0] else " "]
            begun = pair.end()
            self.changes += 1
        written = "".join(pieces) + context[begun:]
        self._remember(written)
        return written

    def _is_cited(self, text: str) -> bool:
        """Tell whether a colon stands behind a marker in the middle of a sentence, where nothing can be defined."""
        line = self._line + text
        return len(line) < _LINE_CHARACTERS and bool(_MARKER_AT_END.search(line[-5:]) and _WORD.search(line.partition("[")[0]))

    def _remember(self, written: str) -> None:
        if written:
            self._line += written[: _LINE_CHARACTERS - len(self._line)]
            self._last = written[-1]

    def _end_line(self) -> None:
        if _BLANK.fullmatch(self._line):
            self._clean = True
        elif _UNSURE.search(self._line):
            self._clean = False
        if _BLOCK.match(self._line) or len(self._line) >= _LINE_CHARACTERS:
            self.trusted = False
        self._line = self._last = ""
