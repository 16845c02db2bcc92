"""Events come out whole, however the network cuts them."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.adapters.wire.failures import WireError
from backend.adapters.wire.sse import SseParser

LINES = st.sampled_from([b"data: one", b"data:two", b"data: ", b"data", b": comment", b"event: x", b"id: 1", b"", b"", b"x" * 50])


def parsed(chunks: list[bytes], bound: int = 1 << 20) -> tuple[list[bytes], bool]:
    """Return the data of the events, and whether it ended with an error."""
    parser, out = SseParser(bound), list[bytes]()
    try:
        for chunk in chunks:
            out.extend(parser.feed(chunk))
        out.extend(parser.finish())
    except WireError:
        return out, True
    return out, False


@settings(deadline=None, max_examples=80)
@given(st.lists(LINES, max_size=20), st.sampled_from([b"\n", b"\r\n"]), st.lists(st.integers(0, 10_000)))
def test_any_split_of_the_bytes_gives_the_same_events_or_the_same_error(lines: list[bytes], end: bytes, cuts: list[int]) -> None:
    data = end.join(lines)
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for bound in (40, 1 << 20):
        whole = parsed([data], bound)
        assert parsed([data[start:stop] for start, stop in pairwise(edges)], bound) == whole
        assert parsed([data[at : at + 1] for at in range(len(data))], bound) == whole


def test_only_data_counts_and_its_lines_are_joined() -> None:
    assert parsed([b": hi\n\nevent: x\ndata: a\nid: 1\ndata:b\n\n\n\ndata: [DONE]"]) == ([b"a\nb", b"[DONE]"], False)


@pytest.mark.parametrize("line", [b"x" * 30, b"data: " + b"x" * 9 + b"\n"])
def test_an_event_without_end_does_not_fill_the_memory(line: bytes) -> None:
    parser = SseParser(100)
    for _ in range(100 // len(line)):
        assert list(parser.feed(line)) == []
    with pytest.raises(WireError, match="more than 100 bytes"):
        list(parser.feed(line * 2))


def test_comments_without_end_do_no_harm() -> None:
    parser = SseParser(100)
    for _ in range(100):
        assert list(parser.feed(b": still here\r\n\r\n")) == []
    assert list(parser.feed(b"data: x\n\n")) == [b"x"]
