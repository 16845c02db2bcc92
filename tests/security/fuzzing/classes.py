"""Classes of bad input, and of strange input that is good, for each type of value.

A value of a body is written as the bytes that stand in its JSON, for much of what is wrong has no other spelling.
"""

import json
import re
from collections.abc import Iterator

from tests.security.fuzzing.places import Place, Schema, sample

SECRET = "Tr0ub4dor-and-three"
"""Part of bad values. It must not come back."""

NO_IDS = ["1", "nonsense", SECRET, "00000000-0000-0000-0000-00000000000", "00000000-0000-0000-0000-00000000000g", "٣" * 32, "'; --"]
NO_INTEGERS = ["1.5", "x", "", "NaN", "Infinity", "1e400", "0x10", "--1", "9" * 400, "9223372036854775808", "18446744073709551616"]
NO_MOMENTS = ["yesterday", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00", "10000-01-01T00:00:00Z", "2026-01-01T00:00:00+25:00"]
UNSTORABLE = {
    "a NUL": rb"\u0000",
    "half a surrogate pair": rb"\ud800",
    "the other half": rb"\udfff",
    "a surrogate as bytes": "\ud800".encode("utf-8", "surrogatepass"),
}
STRANGE = [
    "🐋𝔘🇪🇺", "é", "e\u0301", "ﬃ", "\u202egnorw", "\u200b\u200d\ufeff", "\u2028\u2029\x85", "\x1b[31m", "İıſK", "％ｓ",
    "'; drop table users; --", "{{7*7}}${7*7}", "<script>alert(1)</script>", "../../etc/passwd", "%00%0d%0a", "\\u0000", "NaN",
]  # fmt: skip
OTHER_TYPES = {
    "string": [b"7", b"1.5", b"true", b"[]", b"{}", b'["' + SECRET.encode() + b'"]'],
    "integer": [b"[]", b"{}", b'"' + SECRET.encode() + b'"', b"1.5", b"NaN", b"Infinity", b"-Infinity", b"1e400", b"9" * 400],
    "number": [b"[]", b"{}", b'"' + SECRET.encode() + b'"', b"NaN", b"Infinity", b"-Infinity", b"1e400"],
    "boolean": [b"[]", b"{}", b'"' + SECRET.encode() + b'"', b"2", b"1.5"],
    "array": [b"{}", b"7", b"true", b'"' + SECRET.encode() + b'"', b"[null]", b"[[[]]]"],
    "object": [b"[]", b"7", b"true", b"", b"{", b'"' + SECRET.encode() + b'"', b"[{}]"],
}
_BEGINS = {b'"': "string", b"[": "array", b"{": "object"}
UNREADABLE = {
    "bytes that are no UTF-8": b'{"x": "\xff"}',
    "nested too deep": b"[" * 100_000 + b"]" * 100_000,
    "a number of 5,000 digits": b'{"x": ' + b"9" * 5000 + b"}",
}
"""Bodies that no JSON reader gets through: 400."""


def bad_json(place: Place) -> Iterator[tuple[str, bytes]]:
    """Yield what a value of a body must not be, spelled as JSON."""
    schema, type_ = place.schema, place.schema["type"]
    for other in OTHER_TYPES[type_]:
        if _BEGINS.get(other[:1], "number") not in place.others:
            yield f"another type, {other[:12]!r}", other
    if not place.nullable:
        yield "null", b"null"
    match type_:
        case "string":
            good = json.dumps(sample(schema))[:-1].encode()
            yield from ((name, good + unstorable + b'"') for name, unstorable in UNSTORABLE.items())
            yield from ((f"the text {text[:20]!r}", json.dumps(text).encode()) for text in bad_texts(schema))
        case "integer" | "number":
            yield from ((f"the number {value}", str(value).encode()) for value in _beyond(schema))
        case "array":
            yield "too many", json.dumps([sample(schema["items"])] * (schema["maxItems"] + 1)).encode()
            yield from [("none", b"[]")] if schema.get("minItems") else []
        case "object" if schema.get("additionalProperties") is not True:
            assert schema["additionalProperties"] is False, "a misspelt option that is ignored is worse than an error"
            yield "an unknown field", json.dumps({**sample(schema), "unknown": SECRET}).encode()


def bad_texts(schema: Schema) -> Iterator[str]:
    """Yield texts that a schema of a text does not allow, as it says itself."""
    if "enum" in schema:
        yield from ("", SECRET, schema["enum"][0].upper())
        return
    if "format" in schema and schema["format"] != "password":
        yield from {"uuid": NO_IDS, "date-time": NO_MOMENTS}[schema["format"]]
        return
    for text in ("", " \n\t", *STRANGE, SECRET * (schema["maxLength"] // len(SECRET) + 1)):
        if not allowed(schema, text):
            yield text


def good_texts(schema: Schema) -> Iterator[str]:
    """Yield strange texts that a schema allows."""
    if "enum" not in schema and schema.get("format", "password") == "password":
        yield from (text for text in STRANGE if allowed(schema, text))
        yield sample(schema) if "pattern" in schema else "x" * schema["maxLength"]


def allowed(schema: Schema, text: str) -> bool:
    """Tell whether a text has a length and a shape that the schema allows."""
    long_enough = schema.get("minLength", 0) <= len(text) <= schema["maxLength"]
    return long_enough and re.search(schema.get("pattern", ""), text) is not None


def bad_words(place: Place) -> Iterator[str]:
    """Yield what a value of an address or a header must not be."""
    schema = place.schema
    match schema["type"]:
        case "integer":
            yield from NO_INTEGERS
            yield from map(str, _beyond(schema))
        case "string" if place.where == "path" and "format" in schema:
            yield from (*NO_IDS, "\0", "🐋")
        case "string" if place.where == "path" and "enum" in schema:
            yield from (word for word in (*bad_texts(schema), "\0", "🐋") if word)
        case "string" if place.where == "path":
            yield from ("\0", SECRET * (schema["maxLength"] // len(SECRET) + 1))
        case "string" if place.where == "query":
            yield from (*bad_texts(schema), "\0")
        case "string":
            yield from ("", "\xe9", "\xff" * 20, SECRET * 20)


def _beyond(schema: Schema) -> list[int]:
    return [int(schema["minimum"]) - 1, int(schema["maximum"]) + 1, -(2**63), 2**63, 2**64]
