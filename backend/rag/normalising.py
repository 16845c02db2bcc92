"""The text that the lexical leg searches."""

import re
import unicodedata

from backend.core.pairs import apart, parts
from backend.core.words import words

# Vowel signs of Hebrew and Arabic and the stretching of Arabic are mostly not written, and questions never have them.
_UNWRITTEN = [*range(0x0591, 0x05BE), 0x05BF, 0x05C1, 0x05C2, 0x05C4, 0x05C5, 0x05C7, *range(0x0610, 0x061B), 0x0640]
_UNWRITTEN += [*range(0x064B, 0x0660), 0x0670, *range(0x06D6, 0x06DD), *range(0x06DF, 0x06E5), *range(0x06E7, 0x06E9)]
_UNWRITTEN += [*range(0x06EA, 0x06EE)]
# Letters that people write in several ways: alef with and without its hamza, final and Persian yeh, Persian kaf, Turkish dotless i.
_ONE_LETTER = {"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ی": "ي", "ک": "ك", "ı": "i"}
_FOLDED = {**dict.fromkeys(_UNWRITTEN, ""), **{ord(letter): one for letter, one in _ONE_LETTER.items()}}
# A dot over an i: what is left of a Turkish capital.
_DOT = re.compile("(?<=i)\u0307+")
_DIGIT = re.compile(r"[^\W\D]")
# "And" and "then" are written together with the article behind them, which PostgreSQL's stemmer then does not see.
_ARABIC_AND = re.compile(r"\b[وف]+(?=ال\w{3})")


def search_text(text: str) -> str:
    """Return what goes through ``to_tsvector``, for documents and questions alike, whatever their language is.

    PostgreSQL's parser takes ``a.b``, ``foo/bar`` and ``x-y`` for hosts, files and compounds, so everything but letters, digits and
    marks becomes one space. Compatibility forms are folded (NFKC: ligatures and full-width forms of PDFs), and so are digits of
    other scripts, Arabic and Hebrew vowel signs, forms of alef and yeh, and the dots of the Turkish i. A camelCase word stays and
    is followed by its parts, so that both find it; scripts without spaces become pairs of characters. The result is lower-case, and
    the function idempotent.
    """
    normal = " ".join(words(apart(text)))
    if normal.isascii():
        return normal
    # Letters may meet when a mark between them is gone, so they are composed once more.
    normal = unicodedata.normalize("NFKC", _DOT.sub("", normal.translate(_FOLDED)))
    normal = _ARABIC_AND.sub("", _DIGIT.sub(lambda found: str(unicodedata.decimal(found[0])), normal))
    return " ".join(part for word in normal.split() for part in parts(word))
