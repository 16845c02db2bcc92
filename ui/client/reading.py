"""What the API sends, read with care: a page may not break on an answer of another shape."""

import codecs
import json
from collections.abc import Iterable, Iterator
from typing import Any


def json_of(body: bytes) -> Any:
    """Read JSON.

    Raises:
        ValueError: It is none, or nested beyond all measure.
    """
    try:
        return json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def lines(pieces: Iterable[bytes]) -> Iterator[str]:
    """Yield the lines of a stream of server-sent events as they come, without their ends.

    They end with LF, CRLF or CR and nothing else: answers may hold other characters that count as the end of a line elsewhere, such
    as U+2028. A last line that was not ended does not count.
    """
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    rest = ""
    for piece in pieces:
        rest += decode(piece)
        # A CR at the end may be half of a CRLF.
        held = "\r" if rest.endswith("\r") else ""
        *whole, rest = rest.removesuffix(held).replace("\r\n", "\n").replace("\r", "\n").split("\n")
        rest += held
        yield from whole
