"""Files to upload."""

from collections.abc import AsyncIterator

from backend.core.values.document import Upload

WHALES = b"""# Whales

The blue whale is the largest animal ever known. It can weigh up to 190 tonnes.

## Diet

Blue whales eat krill, up to 3,600 kilograms a day.

## Voice

Their calls carry for hundreds of kilometres under water.
"""


async def in_pieces(data: bytes, size: int = 65_536) -> AsyncIterator[bytes]:
    """Yield bytes as a socket would."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


def a_file(filename: str = "whales.md", data: bytes = WHALES, title: str | None = None) -> Upload:
    """Return an upload of these bytes."""
    return Upload(filename, title, in_pieces(data))


def long_text(paragraphs: int, topic: str = "subject") -> bytes:
    """Return Markdown with so many different paragraphs, each about a numbered subject: about 350 bytes and half a chunk each."""
    return "\n\n".join(
        f"Paragraph {number} is about {topic} {number}. " + f"It says that {topic} {number} has property {number * 7 % 101}, "
        f"weighs {number * 13 % 997} grams and was catalogued in the year {1500 + number % 500}. "
        f"Nothing else in this text speaks of {topic} {number}, so a search for it leads here and nowhere else. "
        for number in range(1, paragraphs + 1)
    ).encode()
