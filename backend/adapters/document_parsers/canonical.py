"""The form in which text is stored, counted and quoted."""

import re

_NOT_TEXT = re.compile("[\x00\ud800-\udfff]+")


def canonical(text: str) -> str:
    """Return the text without NUL and lone surrogates, its lines ended by LF; nothing else changes.

    Parsers call it before they count an offset, so that offsets hold in the stored text. PostgreSQL takes no NUL, UTF-8 no
    surrogate.
    """
    return _NOT_TEXT.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
