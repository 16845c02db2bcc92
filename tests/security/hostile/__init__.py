"""Hostile files, by class of attack and format. Each is written anew, and the same for the same seed."""

from collections.abc import Iterator

from tests.security.hostile import packages, pages, pdfs, sheets, slides, word
from tests.security.hostile.attack import HIDDEN, SECRET, Attack
from tests.security.hostile.damage import flipped, truncated

__all__ = ["HIDDEN", "SECRET", "Attack", "crafted", "flipped", "truncated"]


def crafted() -> Iterator[Attack]:
    """Yield the files that are each an attack of its own."""
    yield from word.attacks()
    yield from pdfs.attacks()
    yield from pages.attacks()
    yield from packages.attacks()
    yield from sheets.attacks()
    yield from slides.attacks()
