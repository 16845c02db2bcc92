"""From what a model writes to the code that fills a gap."""

import re
from typing import Final

from backend.rag.thoughts import split_thoughts

_FENCE: Final = re.compile(r"^[ \t]*(`{3,}|~{3,})[^\n`]*\n(.*?)(?:^[ \t]*\1[`~]*[ \t]*$|\Z)", re.DOTALL | re.MULTILINE)
_ONE_LINE: Final = re.compile(r"\s*(`+)([^`\n]+)\1\s*")
_PROSE_FILES: Final = frozenset({"markdown", "md"})
_LOOKED_AT: Final = 8_000
_SAYS_SOMETHING: Final = 4
"""Characters besides blanks: fewer of them are alike by chance."""


def completion_in(reply: str, prefix: str, suffix: str, *, language: str | None = None) -> str:
    """Return the code of a reply: without fences, prose around them, and what it repeats of the code around the gap."""
    text, _ = split_thoughts(reply.replace("\r\n", "\n"))
    if (language or "").lower() not in _PROSE_FILES:
        if fence := _FENCE.search(text):
            text = fence[2].removesuffix("\n")
        elif whole := _ONE_LINE.fullmatch(text):
            text = whole[2]
    return _without_end(_without_beginning(text, prefix), suffix)


def _without_beginning(text: str, prefix: str) -> str:
    """Return the text without the end of the prefix, if it begins with that."""
    if prefix.strip() and text.startswith(prefix):
        return text[len(prefix) :]
    line = prefix[prefix.rfind("\n") + 1 :]
    for length in range(min(len(text), len(prefix), _LOOKED_AT), 0, -1):
        if prefix.endswith(text[:length]) and (_says_something(text[:length]) or text[:length].strip() == line.strip() != ""):
            return text[length:]
    # The line of the gap, begun again with another indentation.
    if _says_something(line) and text.lstrip().startswith(line.strip()):
        rest = text.lstrip()[len(line.strip()) :]
        return rest.lstrip(" ") if line.endswith(" ") else rest
    return text


def _without_end(text: str, suffix: str) -> str:
    """Return the text without the beginning of the suffix, if it ends with that."""
    for length in range(min(len(text), len(suffix), _LOOKED_AT), 0, -1):
        if text.endswith(suffix[:length]) and _says_something(suffix[:length]):
            return text[:-length]
    stripped = suffix.strip()
    if _says_something(stripped) and text.rstrip().endswith(stripped):
        return text.rstrip()[: -len(stripped)]
    return text


def _says_something(text: str) -> bool:
    return len("".join(text.split())) >= _SAYS_SOMETHING
