"""Words and terms: how text is cut for lexical comparison, the same for questions and documents, everywhere."""

import re
import unicodedata

from backend.core.pairs import apart, parts

# A combining mark belongs to its word (Devanagari, Thai, Hebrew points), but ``\w`` does not know it.
_MARKS = "".join(chr(code) for code in range(0x300, 0x20000) if unicodedata.category(chr(code)).startswith("M"))
_SEPARATORS = re.compile(rf"(?:[^\w{_MARKS}]|_)+")
_ASCII_SEPARATORS = re.compile(r"[\W_]+", re.ASCII)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SOFT_HYPHEN = "\xad"

_STOP_WORDS_TEXT = (
    "a about all also am an and any are as at be because been but by can could did do does for from had has have he her "
    "his how i if in into is it its me my no not of on or our she should so some than that the their them then there "
    "these they this those to was we were what when where which who whom whose why will with would you your"
)
STOP_WORDS = frozenset(_STOP_WORDS_TEXT.split())
"""English function words, and those that questions are made of. Other languages rely on the idf."""


def words(text: str) -> list[str]:
    """Return the lower-case words of a text, in order.

    Compatibility forms are folded (NFKC), soft hyphens dropped, everything that is neither letter, digit nor mark separates.
    A camelCase word appears whole and then in its parts: ``parseJSONBody`` gives ``parsejsonbody parse json body``.
    """
    if not (ascii_only := text.isascii()):
        text = unicodedata.normalize("NFKC", text.replace(_SOFT_HYPHEN, ""))
    separated = (_ASCII_SEPARATORS if ascii_only else _SEPARATORS).sub(" ", text)
    if not _CAMEL.search(separated):
        return _lower(separated).split()
    found: list[str] = []
    for word in separated.split():
        found.append(_lower(word))
        if not word.islower() and len(parts := _CAMEL.split(word)) > 1:
            found.extend(_lower(part) for part in parts)
    return found


def terms(text: str) -> list[str]:
    """Return what two texts are compared by: words without stop words, lightly stemmed; scripts without spaces in pairs."""
    found: list[str] = []
    for word in words(apart(text)):
        if word in STOP_WORDS:
            continue
        if word.isascii():
            found.append(_stem(word))
        else:
            found.extend(parts(word))
    return found


def _lower(text: str) -> str:
    lowered = text.lower()
    return lowered if lowered.isascii() else unicodedata.normalize("NFKC", lowered)


def _stem(word: str) -> str:
    """Take plural and verb endings off an English word; a stem need not be a word, only the same for its forms."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 5 and word.endswith("ing"):
        return word[:-3].removesuffix("e")
    if len(word) > 4 and word.endswith(("ed", "es")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    return word.removesuffix("e") if len(word) > 4 else word
