"""Honest files, damaged at random."""

from collections.abc import Iterator
from functools import partial
from random import Random

from tests.security.hostile.attack import Attack, lazily, rendered
from tests.security.hostile.packages import HONEST as PACKAGES
from tests.security.hostile.word import honest

HONEST = {
    "report.pdf": rendered(3),
    "letter.docx": honest(),
    "page.html": b"<!doctype html><html><body><h1>Title</h1><table><tr><td>a<td>b</table><p style='x'>text &amp; text</p></html>"
    * 3,
    "notes.md": b"---\na: b\n---\n# Title\n\nText `code` [link](http://e.x)\n\n```\ncode\n```\n" * 5,
    "notes.txt": "Plain text, größer als ASCII.\n".encode() * 20,
} | PACKAGES

_SEEDS_OF_PLAIN_TEXT = 10
"""Its readers have no structure to break, so that more seeds tell no more."""


_EVERY_FOURTH = 4
"""Of the seeds is for what is packed like a Word document: what reads the packages is the same."""


def truncated(seed: int) -> Iterator[Attack]:
    """Yield every honest file, cut at a random place."""
    for filename, data in _honest(seed):
        at = Random(f"{seed} {filename}").randrange(1, len(data))  # noqa: S311 - it is to be the same again
        yield Attack(f"{filename} cut by seed {seed}", filename, lazily(partial(bytes, data[:at])))


def flipped(seed: int) -> Iterator[Attack]:
    """Yield every honest file with one to thirty random bytes."""
    for filename, data in _honest(seed):
        chance = Random(f"{seed} {filename} flipped")  # noqa: S311
        damaged = bytearray(data)
        for _ in range(chance.randint(1, 30)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        yield Attack(f"{filename} flipped by seed {seed}", filename, lazily(partial(bytes, damaged)))


def _honest(seed: int) -> Iterator[tuple[str, bytes]]:
    for filename, data in HONEST.items():
        if filename in PACKAGES:
            wanted = seed % _EVERY_FOURTH == 0
        else:
            wanted = seed < _SEEDS_OF_PLAIN_TEXT or filename not in ("notes.md", "notes.txt")
        if wanted:
            yield filename, data
