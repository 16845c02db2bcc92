"""A file as people upload it, with what has to be found in it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fact:
    """A text that the file holds, on this page (or slide, sheet, chapter; from 1) where its format has any."""

    text: str
    page: int | None = None


@dataclass(frozen=True, slots=True)
class RealFile:
    """The bytes of a file, written by another library than the one that reads it.

    ``exact`` is false for formats that keep no white space, so that it may differ.
    """

    filename: str
    data: bytes
    facts: tuple[Fact, ...]
    exact: bool = True


Writers = Mapping[str, Callable[[], RealFile]]

KEEPER = "The lighthouse keeper 🏮 counted forty-two ships that night."
FAMILY = "Her family 👨‍👩‍👧 came by boat, and the café closed at 5 €."
HEBREW = "המגדלור עומד על הצוק כבר מאה שנה"
ARABIC = "يقف الحارس على البرج كل ليلة"
JAPANESE = "灯台守は夜ごとに船を数えた。"
RUSSIAN = "Смотритель маяка ведёт журнал с 1871 года."
SENTENCES = (KEEPER, FAMILY, HEBREW, ARABIC, JAPANESE, RUSSIAN)
"""Emoji, also joined ones, signs beyond Latin-1, two scripts that run from right to left, and text without spaces."""

ROWS = (("Ship", "Tonnes", "Harbour"), ("Anna 🚢", "1250", "Łódź"), ("Berta", "80.5", "חיפה"), ("Cäsar", "7", "大阪"))
"""A table with a header."""


def facts(*texts: str, page: int | None = None) -> tuple[Fact, ...]:
    """Return a fact for each text."""
    return tuple(Fact(text, page) for text in texts)


def facts_of_rows(page: int | None = None, *, labelled: bool) -> tuple[Fact, ...]:
    """Return a fact for each row of the table as a reader sees it, each cell with its header where a row must stand alone."""
    header, *rest = ROWS
    lines = [" | ".join(header)]
    for row in rest:
        cells = [f"{name}: {cell}" for name, cell in zip(header, row, strict=True)] if labelled else row
        lines.append(" | ".join(cells))
    return facts(*lines[labelled:], page=page)
