"""Answers as Markdown that shows what was said, without what Streamlit adds to Markdown."""

import re
from html import unescape

_CODE = re.compile(
    # A fence, up to its end or that of the text; else a run of backticks up to the next run of the same length.
    r"^ {0,3}(?P<fence>`{3,}|~{3,})[^\n]*\n(?:.*?^ {0,3}(?P=fence)[`~]*[ \t]*$|.*\Z)"
    r"|(?<!`)(?P<ticks>`+)(?!`)(?:(?!\n[ \t]*\n).)+?(?<!`)(?P=ticks)(?!`)",
    re.MULTILINE | re.DOTALL,
)
_LANGUAGE = re.compile(r"(?P<fence>`{3,}|~{3,})(?P<name>[^\n`]*)")
# Dollars are money and no formulas; a colon before a word begins no colour and no picture. What is escaped already, or part of
# an address, stays.
_ADDED = re.compile(r"(?P<kept>\\[\s\S]|\b(?:https?://|www\.)\S+)|\$|:(?=[^\W\d]|[+-])")


def prose(text: str) -> str:
    """Return the Markdown of an answer for Streamlit. Code stays code, and is never drawn."""
    text = _LANGUAGE.sub(_undrawn, text)
    pieces: list[str] = []
    end = 0
    for code in _CODE.finditer(text):
        pieces += [_plainly(text[end : code.start()]), code.group()]
        end = code.end()
    return "".join([*pieces, _plainly(text[end:])])


def _undrawn(found: re.Match[str]) -> str:
    """A drawing of Mermaid could load images from anywhere, and have links that show another address than they open."""
    drawn = "mermaid" in unescape(found["name"]).casefold()
    return found["fence"] if drawn else found.group()


def _plainly(text: str) -> str:
    return _ADDED.sub(lambda found: found.group() if found["kept"] else f"\\{found.group()}", text)
