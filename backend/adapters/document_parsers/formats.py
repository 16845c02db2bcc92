"""The formats that are read here.

A new one is a file beside this one with ``parse(data: bytes) -> ParsedDocument``, and a row in ``FORMATS``.
"""

from dataclasses import dataclass
from typing import Literal

Family = Literal[
    "pdf", "word", "excel", "powerpoint", "office", "odt", "ods", "odp", "epub", "zipped", "ole", "rtf", "text", "other"
]  # fmt: skip
"""What the bytes alone can tell. Markdown, HTML and plain text look alike, so their names decide between them.

``office``, ``zipped`` and ``ole`` are containers whose first bytes do not tell what is in them.
"""


@dataclass(frozen=True, slots=True)
class Content:
    """What bytes seem to be; ``phrase`` goes after "seems to be"."""

    family: Family
    phrase: str


@dataclass(frozen=True, slots=True)
class Format:
    """A row of the table: files with these ``extensions`` hold bytes of this ``family``, which this ``module`` reads."""

    media_type: str
    phrase: str
    family: Family
    module: str
    extensions: tuple[str, ...]


_OPEN_XML = "application/vnd.openxmlformats-officedocument"
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument"

_SOURCE_CODE = (
    "py pyi js mjs cjs jsx ts tsx java kt kts c h cc cpp cxx hpp hh cs go rs rb php swift scala r jl lua pl pm sh bash zsh "
    "fish ps1 bat cmd css scss sass less vue svelte dart ex exs erl hrl hs clj cljs edn ml mli fs f f90 f95 m mm proto "
    "graphql gql tf hcl groovy gradle cmake mk dockerfile sol zig nim vb asm s cu ipp vim el lisp scm"
)

FORMATS = (
    Format("application/pdf", "a PDF", "pdf", "pdf", (".pdf",)),
    Format(f"{_OPEN_XML}.wordprocessingml.document", "a Word document", "word", "docx", (".docx", ".docm", ".dotx", ".dotm")),
    Format(
        f"{_OPEN_XML}.presentationml.presentation", "a PowerPoint presentation", "powerpoint", "pptx",
        (".pptx", ".pptm", ".ppsx", ".ppsm", ".potx", ".potm"),
    ),
    Format(f"{_OPEN_XML}.spreadsheetml.sheet", "an Excel workbook", "excel", "spreadsheet", (".xlsx", ".xlsm", ".xltx", ".xltm")),
    Format("application/vnd.ms-excel", "an old Excel workbook (.xls)", "ole", "spreadsheet", (".xls",)),
    Format(f"{_OPEN_DOCUMENT}.text", "an OpenDocument text", "odt", "opendocument", (".odt", ".ott")),
    Format(f"{_OPEN_DOCUMENT}.spreadsheet", "an OpenDocument spreadsheet", "ods", "spreadsheet", (".ods", ".ots")),
    Format(f"{_OPEN_DOCUMENT}.presentation", "an OpenDocument presentation", "odp", "opendocument", (".odp", ".otp")),
    Format("application/epub+zip", "an EPUB book", "epub", "epub", (".epub",)),
    Format("text/markdown", "Markdown", "text", "markdown", (".md", ".markdown")),
    Format("text/html", "an HTML page", "text", "html", (".html", ".htm", ".xhtml")),
    Format("text/plain", "plain text", "text", "text", (".txt", ".text", ".log", ".srt", ".vtt", ".bib", ".diff", ".patch", "")),
    Format("text/csv", "a table in CSV", "text", "delimited", (".csv",)),
    Format("text/tab-separated-values", "a table in TSV", "text", "delimited", (".tsv", ".tab")),
    Format("application/json", "JSON", "text", "json", (".json", ".geojson")),
    Format("application/x-ndjson", "JSON lines", "text", "json", (".jsonl", ".ndjson")),
    Format("application/x-ipynb+json", "a Jupyter notebook", "text", "notebook", (".ipynb",)),
    Format("application/xml", "XML", "text", "xml", (".xml", ".xsd", ".xsl", ".xslt", ".rss", ".atom", ".opml")),
    Format("application/rtf", "rich text (RTF)", "rtf", "rtf", (".rtf",)),
    Format("message/rfc822", "an e-mail", "text", "email", (".eml",)),
    Format("text/x-rst", "reStructuredText", "text", "rst", (".rst",)),
    Format("text/x-tex", "LaTeX", "text", "latex", (".tex", ".latex")),
    Format("application/sql", "SQL", "text", "sql", (".sql",)),
    Format(
        "text/x-settings", "a file of settings", "text", "settings",
        (".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".properties", ".env"),
    ),
    Format("text/x-source", "source code", "text", "source", tuple(f".{suffix}" for suffix in _SOURCE_CODE.split())),
)  # fmt: skip

BY_EXTENSION = {extension: row for row in FORMATS for extension in row.extensions}
BY_MEDIA_TYPE = {row.media_type: row for row in FORMATS}
EXTENSIONS = (
    ", ".join(extension for extension, row in BY_EXTENSION.items() if extension and row.module != "source") + " and source code"
)

SAVE_AS = {
    ".doc": ".docx or PDF", ".dot": ".docx or PDF", ".wpd": ".docx or PDF", ".wps": ".docx or PDF", ".pages": ".docx or PDF",
    ".ppt": ".pptx or PDF", ".pps": ".pptx or PDF", ".key": ".pptx or PDF", ".numbers": ".xlsx or PDF", ".xlsb": ".xlsx",
    ".fodt": ".odt or PDF", ".fods": ".ods or PDF", ".sxw": ".odt or PDF", ".mobi": ".epub or PDF", ".azw3": ".epub or PDF",
    ".msg": ".eml or PDF", ".djvu": "PDF", ".xps": "PDF", ".mht": ".html or PDF", ".mhtml": ".html or PDF",
}  # fmt: skip
"""Formats that no reader here knows, and in which format their programs can save instead."""
