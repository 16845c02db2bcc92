"""Lines of JSON come out whole, however the network cuts them."""

from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.adapters.wire.failures import WireError
from backend.adapters.wire.ndjson import NdjsonParser

VALUES = st.dictionaries(st.text(max_size=5), st.text(max_size=12) | st.integers(-9, 9) | st.none(), max_size=3)
LINES = st.one_of(VALUES.map(orjson.dumps), st.sampled_from([b"", b" \r", b"[1]", b"not json", b'{"a": "' + b"x" * 500 + b'"}']))


def parsed(chunks: list[bytes]) -> tuple[list[dict[str, Any]], bool]:
    """Return what came out, and whether it ended with an error."""
    parser, out = NdjsonParser(max_line_bytes=400), list[dict[str, Any]]()
    try:
        for chunk in chunks:
            out.extend(parser.feed(chunk))
        out.extend(parser.finish())
    except WireError:
        return out, True
    return out, False


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


@settings(deadline=None, max_examples=60)
@given(st.lists(VALUES, max_size=8), st.booleans(), st.lists(st.integers(0, 10_000)))
def test_any_split_of_the_bytes_gives_the_same_objects(values: list[dict[str, Any]], ended: bool, cuts: list[int]) -> None:
    data = b"\n".join(orjson.dumps(value) for value in values) + (b"\n" if ended else b"")

    assert parsed(split(data, cuts)) == (values, False)
    assert parsed([data[at : at + 1] for at in range(len(data))]) == (values, False)


@settings(deadline=None, max_examples=60)
@given(st.lists(LINES, max_size=8), st.lists(st.integers(0, 10_000)))
def test_an_error_is_the_same_for_any_split(lines: list[bytes], cuts: list[int]) -> None:
    data = b"\n".join(lines)

    out, failed = parsed([data])
    again, failed_again = parsed(split(data, cuts))

    assert failed == failed_again
    # A line over the bound is noticed before its end, so that the lines before it are all out by then in any case.
    assert again == out


@pytest.mark.parametrize("line", [b"[1, 2]", b"7", b"{", b'{"a": NaN}', b"\xff", b'"text"', b"{}}"])
def test_a_line_that_is_no_object_is_an_error(line: bytes) -> None:
    with pytest.raises(WireError):
        list(NdjsonParser().feed(line + b"\n"))


def test_objects_before_a_bad_line_of_the_same_chunk_still_come_out() -> None:
    assert parsed([b'{"a": 1}\n{"a": 2}\ngarbage\n{"a": 3}\n']) == ([{"a": 1}, {"a": 2}], True)


def test_blank_lines_and_carriage_returns_are_no_objects() -> None:
    assert parsed([b'\r\n{"a": 1}\r\n\n  \n']) == ([{"a": 1}], False)


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    parser = NdjsonParser(max_line_bytes=100)

    for _ in range(10):
        assert list(parser.feed(b"x" * 10)) == []
    with pytest.raises(WireError, match="more than 100 bytes"):
        list(parser.feed(b"x"))
