"""Which legacy encoding a text may be in, told from its words."""

import re
import unicodedata
from collections.abc import Iterator

from charset_normalizer import from_bytes

# The legacy encodings of the WHATWG's standard: the rarer ones only add wrong guesses.
_LEGACY = [
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp874", "koi8_r", "iso8859_2",
    "cp932", "euc_jp", "gb18030", "big5", "cp949",
]  # fmt: skip
_LAST = ("cp1252", "iso8859_15", "cp866", "iso8859_5", "cp437", "gb18030")
"""Tried after what the library finds: it takes text of DOS, for instance, for something else."""

_EAST_ASIAN = {
    "cp932": "shift_jis", "shift_jis": "shift_jis", "euc_jp": "euc_jp", "gb18030": "gb2312", "gbk": "gb2312", "gb2312": "gb2312",
    "big5": "big5", "cp950": "big5", "cp949": "euc_kr", "euc_kr": "euc_kr", "johab": "johab",
}  # fmt: skip
"""With the older encoding that holds the characters of everyday texts."""

_TAKES_ALL = "cp874"
"""Thai, which has a letter for nearly every byte and no capitals: anything looks well in it."""

_FEW = 12
"""Bytes that are not ASCII. So few can be Chinese by chance, and hardly any file is so short."""

_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_SAMPLE = 256 * 1024
_JUDGED = 20_000
_NEARLY_AS_GOOD = 0.1
_TOKEN = re.compile(r"[^\s!-/:-@\[-`{-~]*[^\x00-\x7f][^\s!-/:-@\[-`{-~]*")
_WITHIN_WORDS = frozenset("’‘–—·…\xad")
_BEFORE_WORDS = frozenset("‚„ˆ‰†‡˜¿¡")
_WIDE = re.compile(r"[\u3000-\u318f\u3400-\u9fff\uac00-\ud7af\uff00-\uffef]")
_WIDE_BESIDE_LATIN = re.compile(rf"[A-Za-z]{_WIDE.pattern}|{_WIDE.pattern}[a-z]")
_KANA = re.compile(r"[\u3041-\u30ff]")
_FOREIGN = {
    "cp932": re.compile(r"[\uff61-\uff9f]"), "shift_jis": re.compile(r"[\uff61-\uff9f]"), "euc_jp": re.compile(r"[\uff61-\uff9f]"),
    "cp949": re.compile(r"[\u3041-\u30ff\u3131-\u318e\u4e00-\u9fff]"),
    "euc_kr": re.compile(r"[\u3041-\u30ff\u3131-\u318e\u4e00-\u9fff]"),
}  # fmt: skip
_FOREIGN_TO_CHINESE = re.compile(r"[\u3041-\u30ff\u3131-\u318e\uac00-\ud7af\uff61-\uff9f]")
"""What is rare in a language, and abundant where text in another encoding is read as this one."""

_LEAST_KANA = 0.1
_VOWELS = frozenset("аеиоуыэюяіαεηιουω")
_LEAST_VOWELS = 0.33
_FINE = 0.3


def likely_encodings(data: bytes) -> list[str]:
    """Return encodings, the likeliest first, for bytes that are not UTF-8.

    The order is that of the share of words that look wrong: capitals in the middle, signs, or two
    scripts in one word, nothing but accented letters.
    Where words look equally well, statistics of letters decide; and western text that is too short for them is CP1252, which most
    of the world's files are in.
    """
    telling = _NOT_ASCII.search(data)
    start = max(0, telling.start() - _SAMPLE // 4) if telling else 0
    sample = data[start : start + _SAMPLE]
    few = len(_NOT_ASCII.findall(sample)) < _FEW
    found = list(dict.fromkeys((*["cp1252"][:few], *_by_statistics(sample), *_LAST)))
    return sorted(found, key=lambda encoding: (_wrongness(sample[:_JUDGED], encoding, few=few), encoding == _TAKES_ALL))


def _by_statistics(sample: bytes) -> Iterator[str]:
    matches = list(from_bytes(sample, cp_isolation=_LEGACY))
    if any("cp1252" in m.could_be_from_charset and m.chaos <= matches[0].chaos + _NEARLY_AS_GOOD for m in matches):
        yield "cp1252"
    for match in matches:
        yield from (match.encoding, *match.could_be_from_charset)


def _wrongness(sample: bytes, encoding: str, *, few: bool) -> float:
    """Return the share of the words that look wrong, in tenths."""
    text = sample.decode(encoding, "replace")  # The end of the sample may cut a character.
    if text.count("\ufffd") > 1 or (few and encoding in _EAST_ASIAN):
        return 1
    if encoding in _EAST_ASIAN:
        return _wrongness_of_wide(text, encoding)
    words = _TOKEN.findall(text)
    wrong = sum(map(_looks_wrong, words)) / (len(words) or 1)
    return round(min(1, wrong + _lack_of_vowels("".join(words))), 1)


def _wrongness_of_wide(text: str, encoding: str) -> float:
    wide = _WIDE.findall(text)
    count = len(wide) or 1
    foreign = _FOREIGN.get(encoding, _FOREIGN_TO_CHINESE).findall(text)
    everyday = sum(0 < len(character.encode(_EAST_ASIAN[encoding], "ignore")) <= 2 for character in wide)  # EUC-KR composes in 8.
    wrong = (len(foreign) + len(_WIDE_BESIDE_LATIN.findall(text)) + len(wide) - everyday) / count
    if _EAST_ASIAN[encoding] in ("shift_jis", "euc_jp") and len(_KANA.findall(text)) < _LEAST_KANA * count:
        wrong += 0.5
    return round(min(1, wrong), 1)


def _looks_wrong(token: str) -> bool:
    word = token.strip("’‘“”«»‹›…–—€•·\xa0\xad™®©°")
    inner = word[1:] if word[:1] in _BEFORE_WORDS else word
    letters = "".join(character for character in inner if character not in _WITHIN_WORDS)
    if not letters or letters.isascii():
        return inner != word and not letters
    if not all(
        character.isalpha() or character.isdecimal() or unicodedata.category(character) in ("Mn", "Mc") for character in letters
    ):
        return True
    scripts = {_script(character) for character in letters if character.isalpha()}
    if len(scripts) > 1 or (scripts == {"LATIN"} and len(letters) > 2 and not any(map(str.isascii, letters))):
        return True
    return letters != letters.lower() and letters[1:] != letters[1:].lower() and letters != letters.upper()


def _lack_of_vowels(text: str) -> float:
    """Return a fine for Cyrillic and Greek with few vowels: they are Hebrew, which has its letters at the same places."""
    letters = [letter for letter in unicodedata.normalize("NFD", text.lower()) if _script(letter) in ("CYRILLIC", "GREEK")]
    vowels = sum(letter in _VOWELS for letter in letters)
    return _FINE if len(letters) >= _FEW and vowels < _LEAST_VOWELS * len(letters) else 0.0


def _script(letter: str) -> str:
    return unicodedata.name(letter, "?").partition(" ")[0]
