"""Finds the markers in an answer, however it is cut into pieces."""

import re
from collections import deque
from typing import Literal, NamedTuple

_OPENERS, _CLOSERS = "[［【", "]］】"
_WORDS_TEXT = "source sources passage passages doc docs document documents ref refs reference references citation quelle quellen"
_WORDS = sorted(_WORDS_TEXT.split(), key=len, reverse=True)
_BEGINNINGS = sorted({word[:length] for word in _WORDS for length in range(1, len(word))}, key=len, reverse=True)
_DASH = r" *[-\u2010-\u2014] *"
_SEPARATOR = re.compile(rf"[,;&{re.escape(_OPENERS + _CLOSERS)}]")
_ITEM = re.compile(rf" *(?:(?:{'|'.join(_WORDS)})[ :.#]*)?\^?(\d{{1,3}})(?:{_DASH}\^?(\d{{1,3}}))? *", re.IGNORECASE)
_ITEM_BEGUN = re.compile(
    rf" *(?:(?:{'|'.join(_WORDS)})[ :.#]*|{'|'.join(_BEGINNINGS)})?\^?\d{{0,3}}(?:{_DASH}\^?\d{{0,3}})? *", re.IGNORECASE
)
_NO_MORE_IN_A_RANGE = 10
_DEEPEST = 4
_NOT_IN_A_NOTE = frozenset("\n`" + _OPENERS)
_LETTERS_AND_DIGITS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_ALPHANUMERIC = frozenset(_LETTERS_AND_DIGITS)
_PLAIN = re.compile(rf"[^{re.escape(_OPENERS)}`\n]+")

HELD_CHARACTERS = 40
"""A bracket that is longer is no marker; so no more than this is ever held back."""


class Part(NamedTuple):
    """A piece of an answer as it was written: text, or a marker if it has ``numbers``.

    ``attached`` says that the marker directly follows a word with an underscore inside, and is an index rather: ``my_list[1]``.
    ``is_link`` is one that a parenthesis follows directly, as the text of a Markdown link: ``[1](...)``. ``is_cut`` is a marker
    whose end is missing.
    """

    text: str
    numbers: tuple[int, ...] = ()
    attached: bool = False
    is_link: bool = False
    is_cut: bool = False

    @property
    def cites(self) -> bool:
        """Whether it is a marker that stands for a claim."""
        return bool(self.numbers) and not self.attached and not self.is_link


def may_become_marker(text: str) -> bool:
    """Tell whether a text ends in a bracket that is still open and holds the beginning of a marker."""
    return any(_is_open(text[start:]) for start, character in enumerate(text) if character in _OPENERS)


def _is_open(bracket: str) -> bool:
    depth = 1
    for end in range(1, len(bracket)):
        if not _belongs(bracket[:end], depth, bracket[end]):
            return False
        depth += _step(bracket[:end], bracket[end])
    return depth > 0


def _belongs(held: str, depth: int, character: str) -> bool:
    """Tell whether a character goes on with a bracket that began so, and has so many closers to come."""
    if not depth or len(held) >= HELD_CHARACTERS:
        return False
    if "†" in held:
        return character not in _NOT_IN_A_NOTE
    if character in _OPENERS and depth == _DEEPEST:
        return False
    if character in _CLOSERS:
        return depth > 1 or _CLOSERS.index(character) == _OPENERS.index(held[0])
    if character == "†":
        return held[0] == "【"
    # Only the last number of several is still open.
    return _ITEM_BEGUN.fullmatch(_SEPARATOR.split(held[1:] + character)[-1]) is not None


def _step(held: str, character: str) -> int:
    """Return how many closers more a bracket needs with this character."""
    return (character in _OPENERS) - (character == "】" if "†" in held else character in _CLOSERS)


def _numbers(bracket: str) -> tuple[int, ...]:
    """Return the numbers that a complete bracket names, in order, or nothing if it is no marker."""
    found: list[int] = []
    inside = bracket[1:-1].partition("†")[0]
    for item in _SEPARATOR.split(inside):
        if not item.strip(" ") or item.strip(" :.#").lower() in _WORDS:
            continue
        if not (match := _ITEM.fullmatch(item)):
            return ()
        first, last = int(match[1]), int(match[2] or match[1])
        if not first <= last < first + _NO_MORE_IN_A_RANGE:
            return ()
        found.extend(range(first, last + 1))
    # What holds a zero among others is an interval or a list of values.
    return tuple(dict.fromkeys(found)) if 0 not in found or found == [0] else ()


class Scanner:
    """Cuts a stream of text into text and markers.

    A marker is a number from 1 to 999 in brackets, in the digits of any script: ``[1]``, ``【1】``, ``[^1]``, ``[source 1]``,
    ``【1†...】``; or several of them: ``[1, 2]``, ``[1-3]``, or nested, ``[[1], [2]]``; and ``[0]``, unless a word is before it.
    No markers are: a class of characters (``[1-9]+``), and anything in inline code, up to the end of its line, or in a code fence.
    The parts together are the text that was fed.
    """

    def __init__(self) -> None:
        self._plain: list[str] = []
        self._held = ""
        self._depth = 0
        self._attached = False
        self._after_word = False
        self._word: Literal["", "plain", "underscored", "joined"] = ""
        self._chained = False
        self._ticks = 0
        self._code = 0

    def feed(self, text: str) -> list[Part]:
        """Return what is certain by now."""
        parts: list[Part] = []
        self._read(text, parts)
        self._flush(parts)
        return parts

    def finish(self) -> list[Part]:
        """Return the rest. A marker that was cut off by the end of the text is marked as such."""
        parts: list[Part] = []
        while self._held:
            is_cut = self._depth > 0 and any(map(str.isdecimal, self._held)) and not any(map(self._held.__contains__, _CLOSERS))
            if is_cut:
                self._flush(parts)
                parts.append(Part(self._held, is_cut=True))
                self._held, self._depth = "", 0
            else:
                self._read(self._release(parts, following=""), parts)
        self._flush(parts)
        return parts

    def _read(self, text: str, parts: list[Part]) -> None:
        position = 0
        while position < len(text):
            plain = None if self._held else _PLAIN.match(text, position)
            if plain:
                self._pass_plain(plain[0])
                position = plain.end()
            else:
                self._read_character(text[position], parts)
                position += 1

    def _read_character(self, character: str, parts: list[Part]) -> None:
        waiting = deque(character)
        while waiting:
            character = waiting.popleft()
            if not self._held:
                self._pass(character)
            elif _belongs(self._held, self._depth, character):
                self._depth += _step(self._held, character)
                self._held += character
            else:
                # Never longer than what was held, less its first character: so this ends.
                waiting.extendleft(reversed(self._release(parts, following=character) + character))

    def _release(self, parts: list[Part], *, following: str) -> str:
        """Let go of the bracket that is held back, whether it is a marker or not; return what has to be read again."""
        held, depth = self._held, self._depth
        self._held, self._depth, self._word = "", 0, ""
        is_class = following in {"+", "{"} and "-" in held
        numbers = () if depth or is_class else _numbers(held)
        if numbers:
            attached = self._attached or (numbers == (0,) and self._after_word)
            self._flush(parts)
            parts.append(Part(held, numbers, attached, is_link=following == "("))
            self._chained = attached
            return ""
        nested = any(opener in held[1:] for opener in _OPENERS)
        self._plain.append(held[0] if nested else held)
        return held[1:] if nested else ""

    def _pass_plain(self, text: str) -> None:
        """Pass text that neither is nor begins or ends anything, in one go."""
        self._end_ticks()
        self._chained = False
        before = text.rstrip(_LETTERS_AND_DIGITS + "_")
        if before:
            self._word = ""
        for character in text[len(before) :]:
            self._spell(character)
        self._plain.append(text)

    def _pass(self, character: str) -> None:
        if character == "`":
            self._ticks += 1
        else:
            self._end_ticks()
            if character == "\n" and self._code < 3:
                self._code = 0
            if character in _OPENERS and not self._code:
                self._held, self._depth = character, 1
                # The second bracket of ``my_grid[1][2]`` belongs to the first.
                self._attached = character == "[" and (self._word == "joined" or self._chained)
                self._after_word = self._word != ""
                self._chained = False
                return
        self._chained = False
        self._spell(character)
        self._plain.append(character)

    def _spell(self, character: str) -> None:
        """Keep track of whether the word that is being written has an underscore inside; one around it is emphasis."""
        if character in _ALPHANUMERIC:
            self._word = "joined" if self._word in ("underscored", "joined") else "plain"
        elif character != "_":
            self._word = ""
        elif self._word == "plain":
            self._word = "underscored"

    def _end_ticks(self) -> None:
        """A run of backticks is over: it opens code, closes code that a run of its length opened, or is part of the code."""
        if self._ticks:
            if not self._code:
                self._code = self._ticks
            elif self._ticks == self._code or self._ticks > self._code >= 3:
                self._code = 0
            self._ticks = 0

    def _flush(self, parts: list[Part]) -> None:
        if self._plain:
            parts.append(Part("".join(self._plain)))
            self._plain.clear()
