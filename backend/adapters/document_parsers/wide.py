"""Text whose characters take two or four bytes each, without the mark that says so."""

import codecs
import unicodedata

_SAMPLE = 4096
_MANY_ZEROS = 0.25
"""Of the bytes of a sample. Text of characters that take one byte in UTF-8 has half of them in UTF-16; other text has none."""

_FINE_CONTROLS = "\t\n\r\f\v"


def wide_encoding(data: bytes) -> str | None:
    """Tell UTF-16 and UTF-32 without a byte order mark by where their zeros are, from the first bytes; None for anything else.

    Text without a single zero is not recognised, for it could be in any encoding: UTF-16 of Chinese without a line end.
    """
    sample = data[:_SAMPLE]
    if b"\0" not in sample:
        return None
    zeros = [sample[place::4].count(0) for place in range(4)]
    width = len(sample) // 4
    if width and zeros[3] >= width and zeros[2] > width // 2:
        return _if_text(sample, "utf-32-le")
    if width and zeros[0] >= width and zeros[1] > width // 2:
        return _if_text(sample, "utf-32-be")
    low, high = zeros[0] + zeros[2], zeros[1] + zeros[3]
    if low + high < _MANY_ZEROS * len(sample) and _is_utf8(sample):
        return None
    fits = [found for encoding in ("utf-16-le", "utf-16-be") if (found := _if_text(sample, encoding))]
    if len(fits) > 1 and bool(low) != bool(high):
        return "utf-16-le" if high else "utf-16-be"
    return fits[0] if len(fits) == 1 else None


def _if_text(sample: bytes, encoding: str) -> str | None:
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError:
        return None
    fine = all(character in _FINE_CONTROLS or unicodedata.category(character) not in ("Cc", "Cn", "Co") for character in text)
    return encoding if text and fine else None


def _is_utf8(sample: bytes) -> bool:
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return False
    return all(character >= " " or character in _FINE_CONTROLS + "\0\b\x1b" for character in text)
