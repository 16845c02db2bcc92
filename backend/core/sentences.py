"""Where sentences begin and end."""

import re

# One candidate boundary a match. The bounded repetitions keep the search linear in the length of the text.
_BOUNDARY = re.compile(
    r"""
    (?P<paragraph> \n[^\S\n]{0,80}\n\s* )
  | (?P<item>      \n(?=[^\S\n]{0,40}(?:[-*+•‣◦▪–—#>|]|\d{1,3}[.)]\s|[A-Za-z][.)]\s)) )     # a bullet, a heading, a row
  | (?P<stop>      [.!?…]{1,8} (?:["'”’»)\]]|\s?\[\d{1,3}\]){0,8} (?=\s) )                    # a marker stays with its sentence
  | (?P<ideograph> [。！？｡]{1,8} (?:["'”’」』）]|\s?\[\d{1,3}\]){0,8} )
  | (?P<line>      \n )
    """,
    re.VERBOSE,
)
_LAST_WORD = re.compile(r"[\w.]{1,20}\Z")
_NEXT_CHARACTER = re.compile(r"\S")
_OPENERS = "\"'“‘«([*_"

# "etc." and "a.m." may well end a sentence, so they are decided by what follows, like any other word.
_ABBREVIATIONS_TEXT = (
    "mr mrs ms dr prof sr jr st mt gen col capt lt sgt rev hon vs cf viz al approx ca inc ltd co corp dept univ assn "
    "bros e.g i.e eg ie z.b d.h u.a bzw vgl ggf inkl evtl jan feb mar apr jun jul aug sep sept oct nov dec"
)
_ABBREVIATIONS = frozenset(_ABBREVIATIONS_TEXT.split())
_BEFORE_NUMBERS_TEXT = "no nos nr fig figs eq eqs sec sect ch chap vol p pp art abs para tab ref refs ver"
_BEFORE_NUMBERS = frozenset(_BEFORE_NUMBERS_TEXT.split())

_SHORT_LINE = 40
_LONG_SENTENCE = 400


def sentences(text: str) -> list[tuple[int, int]]:
    """Return the sentences of a text as spans ``(start, end)`` of code points, in order, without the whitespace around them.

    Every character that is not whitespace is in exactly one span. Abbreviations, initials and decimals do not end a sentence;
    paragraphs, list items and headings do; a wrapped line does not, but a short line before a capital does, and so does every line
    of a "sentence" of more than 400 characters, which is a table, a listing or code.
    """
    spans: list[tuple[int, int]] = []
    start = 0
    for match in _BOUNDARY.finditer(text):
        if _ends(text, start, match):
            _add(spans, text, start, match.end())
            start = match.end()
    _add(spans, text, start, len(text))
    return spans


def _ends(text: str, start: int, match: re.Match[str]) -> bool:
    kind = match.lastgroup
    if kind in {"paragraph", "item", "ideograph"}:
        return True
    # Looking a little ahead is enough, and keeps a long run of blanks from being read once for every candidate.
    following = _NEXT_CHARACTER.search(text, match.end(), match.end() + 80)
    upcoming = following[0] if following else ""
    if kind == "line":
        # The whole line counts, and not what is left of it after a sentence that ended there: that line was wrapped too.
        line_start = text.rfind("\n", 0, match.start()) + 1
        return match.start() - line_start < _SHORT_LINE and not upcoming.islower() and upcoming not in {"(", "["}
    if upcoming in _OPENERS and following:
        upcoming = text[following.end() : following.end() + 1]
    if upcoming.islower():
        return False
    return match[0][0] != "." or match[0].startswith("..") or not _is_abbreviation(text, start, match.start(), upcoming)


def _is_abbreviation(text: str, start: int, stop: int, upcoming: str) -> bool:
    found = _LAST_WORD.search(text[max(start, stop - 20) : stop])
    if found is None:
        return False
    word = found[0]
    folded = word.lower()
    if folded in _ABBREVIATIONS or (len(word) == 1 and word.isupper() and word != "I"):
        return True
    if upcoming.isdigit() and folded in _BEFORE_NUMBERS:
        return True
    dotted = len(word) > 2 and all(len(part) == 1 and part.isalpha() for part in word.split("."))
    listed = word.isdecimal() and len(word) <= 3 and not text[start : stop - len(word)].strip()
    return dotted or listed


def _add(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    if end - start > _LONG_SENTENCE:
        line_end = text.find("\n", start, end)
        while line_end != -1:
            _add_stripped(spans, text, start, line_end)
            start, line_end = line_end + 1, text.find("\n", line_end + 1, end)
    _add_stripped(spans, text, start, end)


def _add_stripped(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    if bare := piece.strip():
        start += len(piece) - len(piece.lstrip())
        spans.append((start, start + len(bare)))
