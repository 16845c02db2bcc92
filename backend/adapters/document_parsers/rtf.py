"""Rich text (.rtf), after the specification's version 1.9.1."""

import codecs
import re
from dataclasses import dataclass, replace

from backend.adapters.document_parsers.composer import Composer
from backend.core.errors import ParsingError
from backend.ports.document_parser import ParsedDocument

_TOKEN = re.compile(rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\(.)|([{}])|[\r\n\0]+|([^\\{}\r\n\0]+)|\\", re.DOTALL)
_CHARACTERS = {
    "tab": "\t", "line": "\n", "emdash": "—", "endash": "–", "emspace": "\u2003", "enspace": "\u2002", "qmspace": "\u2005",
    "bullet": "•", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”", "zwj": "\u200d", "zwnj": "\u200c",
    "ltrmark": "\u200e", "rtlmark": "\u200f", "~": "\xa0", "_": "\u2011", "-": "", "{": "{", "}": "}", "\\": "\\",
}  # fmt: skip
_PARAGRAPH_ENDS = frozenset(("par", "sect", "page", "\n", "\r"))
_UNSEEN = frozenset(
    ("colortbl", "stylesheet", "info", "pict", "objdata", "header", "headerl", "headerr", "headerf", "footer", "footerl",
     "footerr", "footerf", "fldinst", "listtable", "listoverridetable", "revtbl", "nonshppict", "shprslt", "ftnsep", "ftnsepc",
     "ftncn", "aftnsep", "aftnsepc", "aftncn", "annotation", "atnid", "atnauthor", "bkmkstart", "bkmkend", "xe", "tc", "txe",
     "rxe", "pntxta", "pntxtb", "nonesttables", "private")
)  # fmt: skip
"""Groups whose text nobody sees, beside those that are marked as optional; headers and footers repeat on every page."""

_CODE_PAGES = {"ansi": "cp1252", "mac": "mac_roman", "pc": "cp437", "pca": "cp850"}
_CHARSETS = {
    77: "mac_roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "gb18030", 136: "big5hkscs", 161: "cp1253", 162: "cp1254",
    163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250",
    254: "cp437", 255: "cp850",
}  # fmt: skip
_MAC, _UTF8 = 10_000, 65_001


@dataclass(frozen=True, slots=True)
class _State:
    """What a group inherits from the one around it; None is no heading."""

    seen: bool = True
    hidden: bool = False
    fonts: bool = False
    in_cell: bool = False
    note: bool = False
    font: int = -1
    fallback: int = 1
    level: int | None = None


def parse(data: bytes) -> ParsedDocument:
    """Read paragraphs, rows of tables (``cell | cell``), text boxes, and footnotes where they are referred to.

    Hidden and deleted text, comments, headers and footers are left out. Headings are paragraphs with an outline level.

    Raises:
        ParsingError: ``document_unreadable``: the end of the file is missing, or it is no RTF.
    """
    reader = _Reader()
    if not data.lstrip().startswith(b"{\\rtf"):
        raise ParsingError("The file is not rich text (RTF), though its name says so. Save it anew as RTF and upload that.")
    position = 0
    while match := _TOKEN.match(data, position):
        position = match.end()
        word, number, code, symbol, brace, text = match.groups()
        if word == b"bin":
            position += max(0, int(number or 0))
        elif brace:
            reader.brace(opens=brace == b"{")
            if not reader.stack:
                return reader.document()
        elif word or symbol:
            reader.control((word or symbol).decode("latin-1"), None if number is None else int(number))
        elif code or text:
            reader.text(bytes.fromhex(code.decode()) if code else text)
    raise ParsingError("The RTF file is incomplete: its end is missing. Save it anew and upload that.")


class _Reader:
    """Turns controls and characters into lines."""

    def __init__(self) -> None:
        self.stack: list[_State] = []
        self._state = _State()
        self._encoding = "cp1252"
        self._encodings: dict[int, str] = {}
        self._default_font = -1
        self._skip = 0
        self._optional = False
        self._bytes = bytearray()
        self._line: list[str] = []
        self._gap = "\n\n"
        self._composer = Composer()

    def brace(self, *, opens: bool) -> None:
        """Begin or end a group."""
        self._decode()
        self._skip, self._optional = 0, False
        if opens:
            self.stack.append(self._state)
        elif self.stack:
            within, self._state = self._state, self.stack.pop()
            if within.note and not self._state.note:
                self._space()

    def text(self, data: bytes) -> None:
        """Take in characters in the encoding of the font."""
        skipped = min(self._skip, len(data))
        self._skip -= skipped
        if self._state.seen and not self._state.hidden:
            self._bytes += data[skipped:]

    def control(self, word: str, number: int | None) -> None:
        """Take in a control word or symbol."""
        if word == "u" and number is not None:
            self._decode()
            self._write(chr(number & 0xFFFF))
            self._skip = self._state.fallback
        elif self._skip:
            self._skip -= 1
        elif word == "*":
            self._optional = True
        elif self._optional or word in _UNSEEN:
            self._state = replace(self._state, seen=word in ("shptxt", "footnote"))
            self._optional = False
        else:
            self._decode()
            self._set(word, number)
            if self._state.seen:
                self._break(word)

    def document(self) -> ParsedDocument:
        """Return what was read."""
        self._end_line()
        return self._composer.document()

    def _set(self, word: str, number: int | None) -> None:
        match word:
            case "fonttbl":
                self._state = replace(self._state, seen=False, fonts=True)
            case "shptxt":
                self._end_line()
                self._state = replace(self._state, seen=True, level=None, in_cell=False)
            case "plain":
                self._state = replace(self._state, font=self._default_font, hidden=False)
            case "intbl":
                self._state = replace(self._state, in_cell=True)
            case "pard":
                self._state = replace(self._state, in_cell=False, level=None)
            case "ansi" | "mac" | "pc" | "pca":
                self._encoding = _CODE_PAGES[word]
            case "footnote":
                self._space()
                self._state = replace(self._state, note=True)
            case _:
                self._set_number(word, 1 if number is None else number)

    def _set_number(self, word: str, number: int) -> None:
        match word:
            case "v" | "deleted":
                self._state = replace(self._state, hidden=number != 0)
            case "f":
                self._state = replace(self._state, font=number)
            case "fcharset" if self._state.fonts and number in _CHARSETS:
                self._encodings[self._state.font] = _CHARSETS[number]
            case "deff":
                self._default_font = number
            case "uc":
                self._state = replace(self._state, fallback=max(0, number))
            case "outlinelevel":
                self._state = replace(self._state, level=number + 1 if 0 <= number < 9 else None)
            case "ansicpg":
                self._encoding = _code_page(number) or self._encoding

    def _break(self, word: str) -> None:
        if word in _CHARACTERS:
            self._write(_CHARACTERS[word])
        elif word in ("cell", "nestcell"):
            self._write(" | ")
        elif word in ("row", "nestrow"):
            while self._line and self._line[-1] in (" | ", " "):
                self._line.pop()
            self._end_line(in_table=True)
        elif word in _PARAGRAPH_ENDS:
            self._space() if self._state.in_cell or self._state.note else self._end_line()

    def _write(self, text: str) -> None:
        if text and self._state.seen and not self._state.hidden:
            self._line.append(text)

    def _space(self) -> None:
        if self._line and not self._line[-1].endswith(" "):
            self._write(" ")

    def _decode(self) -> None:
        if self._bytes:
            encoding = self._encodings.get(self._state.font, self._encoding)
            self._line.append(self._bytes.decode(encoding, "replace"))
            self._bytes.clear()

    def _end_line(self, *, in_table: bool = False) -> None:
        line = "".join(self._line).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").strip("\n ")
        self._line.clear()
        self._composer.add(line, gap=self._gap if in_table else "\n\n", level=self._state.level)
        if line:
            self._gap = "\n" if in_table else "\n\n"


def _code_page(number: int) -> str | None:
    name = {_MAC: "mac_roman", _UTF8: "utf-8"}.get(number, f"cp{number}")
    try:
        return codecs.lookup(name).name
    except LookupError:
        return None
