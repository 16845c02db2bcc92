"""Requests that break the rules of HTTP framing, with what may come back. An empty set: the connection is closed without a word."""

from dataclasses import dataclass

HOST = b"Host: docent.test\r\n"
JSON = b"Content-Type: application/json\r\n"


@dataclass(frozen=True, slots=True)
class Attack:
    """Bytes to send, with pauses in seconds; the statuses that are right; whether our direction is closed at the end."""

    pieces: tuple[bytes | float, ...]
    right: frozenset[int] = frozenset({400})
    end: bool = False
    silent: bool = False
    """Whether no answer at all is right too."""


def post(headers: bytes, body: bytes = b"") -> bytes:
    return b"POST /echo HTTP/1.1\r\n" + HOST + JSON + headers + b"\r\n" + body


def get(headers: bytes = b"", target: bytes = b"/health", version: bytes = b"HTTP/1.1") -> bytes:
    return b"GET " + target + b" " + version + b"\r\n" + HOST + headers + b"\r\n"


def attack(*pieces: bytes | float, right: set[int] | None = None, end: bool = False, silent: bool = False) -> Attack:
    return Attack(pieces, frozenset({400} if right is None else right), end, silent)


def dripping(drop: bytes, drops: int) -> list[bytes | float]:
    """The same few bytes again and again, each after a pause."""
    return [piece for _ in range(drops) for piece in (0.1, drop)]


CHUNKED = b"Transfer-Encoding: chunked\r\n"

ATTACKS: dict[str, Attack] = {
    # Lengths that disagree.
    "a length twice, the same": attack(post(b"Content-Length: 2\r\nContent-Length: 2\r\n", b"{}"), right={200, 400}),
    "a length twice, different": attack(post(b"Content-Length: 2\r\nContent-Length: 20\r\n", b"{}")),
    "a list of lengths": attack(post(b"Content-Length: 2, 3\r\n", b"{}")),
    "a negative length": attack(post(b"Content-Length: -2\r\n", b"{}")),
    "a length with a plus": attack(post(b"Content-Length: +2\r\n", b"{}")),
    "a length in hexadecimal": attack(post(b"Content-Length: 0x2\r\n", b"{}")),
    "a length that is a word": attack(post(b"Content-Length: two\r\n", b"{}")),
    "an empty length": attack(post(b"Content-Length:\r\n", b"{}")),
    "a length of 2**64": attack(post(b"Content-Length: 18446744073709551616\r\n", b"{}"), right={400, 413}),
    "a length of 400 digits": attack(post(b"Content-Length: " + b"9" * 400 + b"\r\n", b"{}"), right={400, 413}),
    "a length over the limit": attack(post(b"Content-Length: 10001\r\n", b"{}"), right={413}),
    "a length and chunks": attack(post(b"Content-Length: 2\r\n" + CHUNKED, b"2\r\n{}\r\n0\r\n\r\n"), right={200, 400}),
    "chunks and a length": attack(post(CHUNKED + b"Content-Length: 2\r\n", b"2\r\n{}\r\n0\r\n\r\n"), right={200, 400}),
    "chunks twice": attack(post(CHUNKED + CHUNKED, b"2\r\n{}\r\n0\r\n\r\n"), right={200, 400, 501}),
    "chunks, hidden": attack(post(b"Transfer-Encoding: xchunked\r\n", b"2\r\n{}\r\n0\r\n\r\n"), right={400, 501}),
    "chunks, then something else": attack(post(b"Transfer-Encoding: chunked, gzip\r\n", b"{}"), right={400, 501}),
    "chunks with a tab": attack(post(b"Transfer-Encoding:\tchunked\r\n", b"2\r\n{}\r\n0\r\n\r\n"), right={200, 400}),
    "chunks behind a vertical tab": attack(post(b"Transfer-Encoding: \x0bchunked\r\n", b"2\r\n{}\r\n0\r\n\r\n"), right={400, 501}),
    "chunks in HTTP/1.0": attack(
        post(CHUNKED, b"2\r\n{}\r\n0\r\n\r\n").replace(b"HTTP/1.1", b"HTTP/1.0"), right={200, 400, 422}, silent=True
    ),
    # Chunks.
    "a chunk's size that is no number": attack(post(CHUNKED, b"zz\r\n{}\r\n0\r\n\r\n")),
    "a negative chunk": attack(post(CHUNKED, b"-2\r\n{}\r\n0\r\n\r\n")),
    "a chunk of 2**64": attack(post(CHUNKED, b"10000000000000000\r\n{}\r\n0\r\n\r\n"), right={400, 408}),
    "a chunk's size of 400 digits": attack(post(CHUNKED, b"0" * 400 + b"2\r\n{}\r\n0\r\n\r\n"), right={200, 400}),
    "a chunk's size with 0x": attack(post(CHUNKED, b"0x2\r\n{}\r\n0\r\n\r\n")),
    "a chunk longer than it said": attack(post(CHUNKED, b"1\r\n{}\r\n0\r\n\r\n")),
    "a chunk shorter than it said": attack(post(CHUNKED, b"9\r\n{}\r\n0\r\n\r\n"), right={400, 408}),
    "chunks with bare line feeds": attack(post(CHUNKED, b"2\n{}\n0\n\n"), right={200, 400, 408}),
    "chunks without an end": attack(post(CHUNKED, b"2\r\n{}\r\n"), right={408}),
    "an endless extension": attack(post(CHUNKED, b"2;" + b"x" * 300_000), right={400, 408}, silent=True),
    "endless trailers": attack(post(CHUNKED, b"2\r\n{}\r\n0\r\n" + b"A: b\r\n" * 20_000), right={400, 408}, silent=True),
    "a trailer that is a length": attack(post(CHUNKED, b"2\r\n{}\r\n0\r\nContent-Length: 9\r\n\r\n"), right={200, 400}),
    "chunks over the limit": attack(post(CHUNKED, b"2711\r\n" + b" " * 10_001 + b"\r\n0\r\n\r\n"), right={413}),
    "many small chunks over the limit": attack(post(CHUNKED, b"1\r\n \r\n" * 10_001 + b"0\r\n\r\n"), right={413}),
    # Headers.
    "a header without a colon": attack(get(b"Nonsense\r\n")),
    "a header without a name": attack(get(b": value\r\n")),
    "a space before the colon": attack(get(b"X-A : b\r\n")),
    "a space in a name": attack(get(b"X A: b\r\n")),
    "NUL in a name": attack(get(b"X-\0A: b\r\n")),
    "NUL in a value": attack(get(b"X-A: b\0c\r\n")),
    "a bare carriage return in a value": attack(get(b"X-A: b\rX-B: c\r\n")),
    "a bare line feed after a value": attack(get(b"X-A: b\nX-B: c\r\n"), right={200, 400}),
    "a control character in a value": attack(get(b"X-A: b\x01c\r\n"), right={200, 400}),
    "a folded value": attack(get(b"X-A: b\r\n c\r\n"), right={200, 400}),
    "a folded length": attack(post(b"Content-Length:\r\n 2\r\n", b"{}"), right={200, 400}),
    "a folded first header": attack(b"GET /health HTTP/1.1\r\n " + HOST + b"\r\n"),
    "bytes over 127 in a value": attack(get(b"X-A: \xff\xfe\r\n"), right={200}),
    "bytes over 127 in a name": attack(get(b"X-\xff: a\r\n")),
    "no host": attack(b"GET /health HTTP/1.1\r\n\r\n", right={200, 400}),
    "two hosts": attack(get(HOST), right={200, 400}),
    "a header of 20 KB": attack(get(b"X-A: " + b"a" * 20_000 + b"\r\n"), right={431}),
    "a header of 300 KB": attack(get(b"X-A: " + b"a" * 300_000 + b"\r\n"), right={400, 431}, silent=True),
    "101 headers": attack(get(b"X-A: a\r\n" * 101), right={431}),
    "20,000 headers": attack(get(b"X-A: a\r\n" * 20_000), right={400, 431}, silent=True),
    "an endless header": attack(get()[:-2] + b"X-A: ", *([b"a" * 50_000] * 20), right={400}, silent=True),
    # Request lines.
    "HTTP/0.9": attack(b"GET /health\r\n\r\n", right={200, 400}),
    "HTTP/2": attack(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", right={400, 404}),
    "HTTP/1.9": attack(get(version=b"HTTP/1.9"), right={200, 400}),
    "a version that is none": attack(get(version=b"HTTP/x.y")),
    "no version, no path": attack(b"GET\r\n\r\n"),
    "an empty line and a request": attack(b"\r\n\r\n" + get(), right={200, 400}),
    "an absolute address": attack(get(target=b"http://docent.test/health"), right={200, 400, 404}),
    "an absolute address without a path": attack(get(target=b"http://docent.test"), right={200, 400, 404}),
    "a path without a slash": attack(get(target=b"health"), right={400, 404}),
    "an asterisk": attack(get(target=b"*"), right={400, 404}),
    "OPTIONS *": attack(get(target=b"*").replace(b"GET", b"OPTIONS"), right={200, 400, 404, 405}),
    "CONNECT": attack(b"CONNECT docent.test:443 HTTP/1.1\r\n" + HOST + b"\r\n", right={400, 404, 405}),
    "TRACE": attack(get().replace(b"GET", b"TRACE"), right={400, 405}),
    "an unknown method": attack(get().replace(b"GET", b"FROB"), right={400, 405}),
    "a method in lower case": attack(get().replace(b"GET", b"get"), right={400, 405}),
    "a space in the path": attack(get(target=b"/hea lth")),
    "NUL in the path": attack(get(target=b"/hea\0lth")),
    "NUL in the path, encoded": attack(get(target=b"/hea%00lth"), right={404}),
    "bytes over 127 in the path": attack(get(target=b"/\xff"), right={400, 404}),
    "a broken encoding in the path": attack(get(target=b"/%zz%"), right={404}),
    "a path that climbs": attack(get(target=b"/../../etc/passwd"), right={404}),
    "an address of 9 KB": attack(get(target=b"/" + b"a" * 9000), right={414}),
    "a query of 9 KB": attack(get(target=b"/health?" + b"a" * 9000), right={414}),
    "an address of 300 KB": attack(get(target=b"/" + b"a" * 300_000), right={400, 414}, silent=True),
    "random bytes": attack(bytes(range(256)) * 8),
    "a TLS greeting": attack(bytes.fromhex("16030100") + b"\xa5\x01" * 60, silent=True),
    # Upgrades and expectations.
    "WebSocket": attack(
        get(b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAA\r\n"),
        right={200, 400, 403},
    ),
    "h2c": attack(get(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAAA\r\n"), right={200, 400}),
    "an expectation that is met": attack(post(b"Expect: 100-continue\r\nContent-Length: 2\r\n"), 0.1, b"{}", right={100, 200}),
    "an expectation and too much": attack(post(b"Expect: 100-continue\r\nContent-Length: 900000\r\n"), right={413}),
    "an expectation and then nothing": attack(post(b"Expect: 100-continue\r\nContent-Length: 2\r\n"), right={100, 408}),
    # Several requests, and bytes that belong to none.
    "ten requests at once": attack(get() * 10, right={200}),
    "a request behind a refused one": attack(post(b"Content-Length: 10001\r\n") + get(), right={413}),
    "a body that was not announced": attack(get() + b"{}" * 100, right={200, 400}),
    "a smuggled request": attack(post(b"Content-Length: 2\r\n" + CHUNKED, b"0\r\n\r\n" + get()), right={200, 400, 422}),
    # Time.
    "nothing at all": attack(right=set(), silent=True),
    "half a request line": attack(b"GET /hea", right=set(), silent=True),
    "headers without an end": attack(get()[:-2], right=set(), silent=True),
    "headers drop by drop": attack(get()[:-2], *dripping(b"X-A: b\r\n", 20), right=set(), silent=True),
    "headers drop by drop, on a used connection": attack(get(), 0.1, get()[:-2], *dripping(b"X-A: b\r\n", 20), right={200}),
    "a body that does not come": attack(post(b"Content-Length: 9\r\n"), right={408}),
    "half a body": attack(post(b"Content-Length: 9\r\n", b"{"), right={408}),
    "a body drop by drop": attack(post(b"Content-Length: 900\r\n"), *dripping(b" ", 30), right={408}),
    "a refused body drop by drop": attack(post(b"Content-Length: 900000\r\n"), *dripping(b" ", 40), right={413}),
    "an upload that pauses": attack(post(b"Content-Length: 900\r\n").replace(b"/echo", b"/upload"), b"a", right={408}),
    # Goodbyes.
    "half closed after a request": attack(get(), right={200}, end=True, silent=True),
    "half closed in the headers": attack(get()[:-2], end=True, silent=True),
    "half closed in a body": attack(post(b"Content-Length: 9\r\n", b"{"), right={408}, end=True, silent=True),
    "half closed in a chunk": attack(post(CHUNKED, b"9\r\n{"), right={400, 408}, end=True, silent=True),
}
