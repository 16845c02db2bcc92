"""Jupyter notebooks (.ipynb)."""

import json
import re
from collections.abc import Iterator
from typing import Any

from backend.adapters.document_parsers import json as plain_json
from backend.adapters.document_parsers import markdown
from backend.adapters.document_parsers.canonical import canonical
from backend.adapters.document_parsers.composer import Composer
from backend.adapters.document_parsers.decoding import decode
from backend.ports.document_parser import ParsedDocument

_COLOURS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


def parse(data: bytes) -> ParsedDocument:
    """Read the cells in order, as they were written, and below each one of code what it printed; no pictures.

    Headings are those of the cells of Markdown. A file that is no notebook is read as JSON.
    """
    cells = _cells(data)
    if not cells:
        return plain_json.parse(data)
    composer = Composer()
    for cell in cells:
        source = canonical(_joined(cell.get("source", cell.get("input", ""))))
        if cell.get("cell_type") == "markdown":
            composer.append(markdown.parse(source.encode()))
        else:
            composer.add(source, gap="\n\n")
        for output in _dicts(cell.get("outputs")):
            for text in _printed(output):
                composer.add(_COLOURS.sub("", text).rstrip(), gap="\n\n")
    return composer.document()


def _cells(data: bytes) -> list[dict[str, Any]]:
    try:
        notebook = json.loads(decode(data))
    except ValueError:
        return []
    if not isinstance(notebook, dict):
        return []
    sheets = _dicts(notebook.get("worksheets"))  # Notebooks had sheets until version 4 of the format.
    return [cell for holder in (notebook, *sheets) for cell in _dicts(holder.get("cells"))]


def _dicts(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _printed(output: dict[str, Any]) -> Iterator[str]:
    data = output.get("data")
    shown = data.get("text/plain", data.get("text/markdown")) if isinstance(data, dict) else None
    yield _joined(output.get("text", shown))
    if output.get("output_type") in ("error", "pyerr"):
        yield _joined(output.get("traceback"), "\n") or f"{output.get('ename')}: {output.get('evalue')}"


def _joined(value: object, between: str = "") -> str:
    if isinstance(value, list):
        return between.join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""
