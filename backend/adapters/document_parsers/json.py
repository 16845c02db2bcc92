"""JSON and JSON lines, as lines that say what each value is."""

import json
import re
from collections.abc import Iterator

from backend.adapters.document_parsers.canonical import canonical
from backend.adapters.document_parsers.composer import Composer
from backend.adapters.document_parsers.decoding import decode
from backend.ports.document_parser import ParsedDocument

_LINE_END = re.compile(r"[\r\n]")
_LONGEST_ROW = 2000
"""Characters. A record that takes more is written with a line for each value, and a blank line around it."""


class _Object(list[tuple[str, object]]):
    """The members of an object as they were written, repeated names too."""


def parse(data: bytes) -> ParsedDocument:
    """Read values as ``path.to.key: value``, and the objects of an array as rows, ``key: value | key: value``.

    Texts and numbers come as they were written, without quotes and escapes. Several values, one a line, are read as JSON lines.
    What is not valid JSON (comments, a file that was cut) stays as it is: it is text all the same.
    """
    text = canonical(decode(data))
    composer = Composer()
    value = _value(text)
    if value is not None:
        _add(composer, value, "")
        return composer.document()
    lines = [line for line in text.split("\n") if line.strip()]
    values = [_value(line) for line in lines]
    if not any(isinstance(value, list) for value in values):
        return ParsedDocument(text)
    for line, value in zip(lines, values, strict=True):
        if value is None:
            composer.add(line)
        else:
            _add_item(composer, value, "")
    return composer.document()


def _value(text: str) -> object:
    """Return a value, numbers and ``null`` as they were written; None where the text is no JSON."""
    try:
        return _DECODER.decode(text)
    except ValueError:
        return None


_DECODER = json.JSONDecoder(object_pairs_hook=_Object, parse_int=str, parse_float=str, parse_constant=str)


def _add(composer: Composer, value: object, path: str) -> None:
    if isinstance(value, _Object) and value:
        for key, member in value:
            _add(composer, member, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        if any(isinstance(item, list) for item in value):
            for item in value:
                _add_item(composer, item, path)
        else:
            _add_list(composer, [_written(item) for item in value], path)
    else:
        _add_line(composer, path, _written(value))


def _add_item(composer: Composer, item: object, path: str) -> None:
    """Add an item of an array as a row, or, where it is too long for one, as a block."""
    row = _row(item)
    if len(row) <= _LONGEST_ROW and not _LINE_END.search(row):
        composer.add(f"{path}: {row}" if path else row)
        return
    block = Composer()
    _add(block, item, path)
    composer.add(block.document().text, gap="\n\n")


def _add_list(composer: Composer, items: list[str], path: str) -> None:
    row = ", ".join(items)
    if len(row) <= _LONGEST_ROW and path and not _LINE_END.search(row):
        composer.add(f"{path}: {row}")
        return
    for item in items:
        _add_line(composer, path, item)


def _add_line(composer: Composer, path: str, text: str) -> None:
    if _LINE_END.search(text):
        composer.add(f"{path}:\n{text}" if path else text, gap="\n\n")
    else:
        composer.add(": ".join(part for part in (path, text) if part))


def _row(item: object) -> str:
    if isinstance(item, _Object):
        return " | ".join(f"{key}: {text}" for key, text in _leaves(item, ""))
    return ", ".join(_row(part) for part in item) if isinstance(item, list) else _written(item)


def _leaves(value: _Object, path: str) -> Iterator[tuple[str, str]]:
    for key, member in value:
        name = f"{path}.{key}" if path else key
        if isinstance(member, _Object) and member:
            yield from _leaves(member, name)
        else:
            yield name, _row(member)


def _written(value: object) -> str:
    match value:
        case str():
            return value
        case True:
            return "true"
        case False:
            return "false"
        case _:
            return "null" if value is None else ""
