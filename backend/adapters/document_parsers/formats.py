"""The formats that are read here.

A new one is a file beside this one with ``parse(data: bytes) -> ParsedDocument``, and a row in ``FORMATS``.
"""

from dataclasses import dataclass
from typing import Literal

Family = Literal["pdf", "word", "text", "other"]
"""What the bytes alone can tell. Markdown, HTML and plain text look alike, so their names decide between them."""


@dataclass(frozen=True, slots=True)
class Format:
    """A row of the table: files with these ``extensions`` hold bytes of this ``family``, which this ``module`` reads."""

    media_type: str
    phrase: str
    family: Family
    module: str
    extensions: tuple[str, ...]


FORMATS = (
    Format("application/pdf", "a PDF", "pdf", "pdf", (".pdf",)),
    Format(
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "a Word document", "word", "docx", (".docx",)
    ),
    Format("text/markdown", "Markdown", "text", "markdown", (".md", ".markdown")),
    Format("text/html", "an HTML page", "text", "html", (".html", ".htm", ".xhtml")),
    Format("text/plain", "plain text", "text", "text", (".txt", ".text", ".log", ".rst", "")),
)

BY_EXTENSION = {extension: row for row in FORMATS for extension in row.extensions}
BY_MEDIA_TYPE = {row.media_type: row for row in FORMATS}
EXTENSIONS = ", ".join(extension for extension in BY_EXTENSION if extension)
