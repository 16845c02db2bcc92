"""Links and images in a piece of prose, written out as plain text."""

import re
from html import unescape
from urllib.parse import quote

_MAIL = re.compile(r"mailto:([\w.+-]+@[\w.-]+)", re.ASCII | re.IGNORECASE)
_WEB = re.compile(r"https?://[^\s/?#]+(?:[/?#]\S*)?", re.IGNORECASE)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_SAFE = "!#&+,-./:;=?@_~%()"
_ONLY_NUMBERS = re.compile(r"[0-9,;\s]*")


def written_out(text: str) -> tuple[str, int]:
    """Return the text with its inline links and images as plain text, and how many there were. Linear.

    ``[text](https://host/path)`` becomes ``text (https://host/path)``, so that nobody is led to another address than the one they
    read; an address that is neither http, https nor mailto is dropped, and so is every image's, which leaves its alternative text.
    What is not a complete link stays as it is.
    """
    closing = _closing(text)
    opened: list[tuple[str, list[str]]] = []
    done: list[str] = []
    count = position = 0
    while position < len(text):
        length, parts = 1, opened[-1][1] if opened else done
        if text[position] == "\\":
            length = 2
            parts.append(text[position : position + 2])
        elif text[position] == "[" or text.startswith("![", position):
            length = 1 if text[position] == "[" else 2
            opened.append((text[position : position + length], []))
        elif text[position] == "]" and opened:
            mark, inner = opened.pop()
            end = closing.get(position + 1)
            outer = opened[-1][1] if opened else done
            if end is None:
                outer.append(f"{mark}{''.join(inner)}]")
            else:
                outer.append(_plain("".join(inner), "" if mark == "![" else text[position + 2 : end], image=mark == "!["))
                length = end + 1 - position
                count += 1
        else:
            parts.append(text[position])
        position += length
    for mark, inner in opened:
        done.append(mark + "".join(inner))
    return "".join(done), count


def _closing(text: str) -> dict[int, int]:
    """Map every opening parenthesis to the one that closes it."""
    found: dict[int, int] = {}
    opened: list[int] = []
    escaped = False
    for position, character in enumerate(text):
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == "(":
            opened.append(position)
        elif character == ")" and opened:
            found[opened.pop()] = position
    return found


def _plain(inner: str, target: str, *, image: bool) -> str:
    # Text of digits alone would become a marker if it stood in brackets; and where nothing was left, marks around it would meet.
    shown = ("(image)" if image else "(link)") if _ONLY_NUMBERS.fullmatch(inner) else inner
    address = _address(target)
    if not address or address == shown:
        return shown
    return f"{shown} ({address})"


def _address(target: str) -> str:
    """Return what may be shown of a link's target: a web or mail address in unambiguous characters, else nothing."""
    words = unescape(_ESCAPED.sub(r"\1", target)).strip().removeprefix("<").split(maxsplit=1)
    address = words[0].removesuffix(">") if words else ""
    if mail := _MAIL.fullmatch(address):
        return mail[1]
    return quote(address, safe=_SAFE) if _WEB.fullmatch(address) else ""
