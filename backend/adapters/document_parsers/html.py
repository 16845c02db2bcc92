"""HTML, with Lexbor's parser, which reads what browsers read."""

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from backend.adapters.document_parsers.canonical import canonical
from backend.adapters.document_parsers.composer import Composer
from backend.adapters.document_parsers.decoding import decode
from backend.ports.document_parser import ParsedDocument

_DECLARED = re.compile(rb"""(?:<meta\s[^>]*?charset|<\?xml\s[^>]*?encoding)\s*=\s*["']?\s*([\w:.-]+)""", re.IGNORECASE)
_EMPTY_ELEMENT = re.compile(r"<(script|style|title|textarea|iframe|noscript)(\s[^<>]*)?/>")
_HIDING_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_SPACE = re.compile(r"[ \t\n\f\r]+")

_INVISIBLE = frozenset(
    ("head", "script", "style", "noscript", "template", "title", "desc", "metadata", "iframe", "object", "canvas", "audio", "video",
     "datalist", "-comment")
)  # fmt: skip
_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}
_APART = frozenset([*_HEADINGS, "p", "ul", "ol", "dl", "table", "pre", "blockquote", "figure", "section", "article"])
_BLOCKS = _APART | frozenset(
    ("address", "aside", "body", "br", "caption", "center", "dd", "details", "dialog", "div", "dt", "fieldset", "figcaption",
     "footer", "form", "header", "hgroup", "hr", "html", "legend", "li", "main", "menu", "nav", "option", "search", "summary",
     "tbody", "td", "tfoot", "th", "thead", "tr")
)  # fmt: skip
_NOT_IN_A_ROW = "table, h1, h2, h3, h4, h5, h6, ul, ol, dl, pre, blockquote"


def parse(data: bytes) -> ParsedDocument:
    """Read the visible text: a line for each block, a blank line around paragraphs, ``cell | cell`` for a row of a table.

    Navigation stays, as everything that a reader sees. A table that lays out a page, with blocks in its cells, is not a table.
    """
    declared = _DECLARED.search(data[:4096])
    markup = canonical(decode(data, declared[1].decode("ascii") if declared else None))
    if markup.lstrip().startswith("<?xml"):
        markup = _EMPTY_ELEMENT.sub(r"<\1\2></\1>", markup)  # An empty element of XHTML would swallow the page when read as HTML.
    page = _Page()
    root = _tree(markup).root
    if root is not None:
        for node, entered in _walk(root):
            page.enter(node) if entered else page.leave(node)
    return page.text.document()


def _tree(markup: str) -> LexborHTMLParser:
    try:
        return LexborHTMLParser(markup)
    except SelectolaxError as error:  # Everything is HTML: the one thing that Lexbor cannot do is to get more memory.
        raise MemoryError from error


def _walk(root: LexborNode) -> Iterator[tuple[LexborNode, bool]]:
    """Yield every visible node when it is entered and when it is left; without recursion, for nesting has no limit."""
    node: LexborNode | None = root
    while node is not None:
        visible = not _hidden(node)
        if visible:
            yield node, True
        child = node.child if visible else None
        if child is not None:
            node = child
            continue
        if visible:
            yield node, False
        while node is not None and node.next is None:
            node = node.parent
            if node is None or node.mem_id == root.mem_id:
                return
            yield node, False
        node = node.next if node is not None else None


def _hidden(node: LexborNode) -> bool:
    if node.tag in _INVISIBLE:
        return True
    if not node.is_element_node:
        return False
    attributes = node.attributes
    return "hidden" in attributes or _HIDING_STYLE.search(attributes.get("style") or "") is not None


class _Page:
    """Turns the coming and going of elements into lines."""

    def __init__(self) -> None:
        self.text = Composer()
        self._line: list[str] = []
        self._gap = "\n"
        self._level: int | None = None
        self._in_row = False
        self._cells = 0
        self._preformatted = False

    def enter(self, node: LexborNode) -> None:
        """Take in a node before its children."""
        tag = node.tag or ""
        if tag == "-text":
            self._line.append(node.text_content or "")
            return
        self._boundary(tag)
        if tag == "tr":
            self._in_row = node.css_first(_NOT_IN_A_ROW) is None
            self._cells = 0
        elif tag == "pre":
            self._preformatted = True
        elif tag in _HEADINGS:
            self._level = _HEADINGS[tag]

    def leave(self, node: LexborNode) -> None:
        """Take in the end of a node."""
        tag = node.tag or ""
        if tag == "tr":
            self._in_row = False
        self._boundary(tag, leaving=True)
        if tag == "pre":
            self._preformatted = False
        elif tag in _HEADINGS:
            self._level = None

    def _boundary(self, tag: str, *, leaving: bool = False) -> None:
        if self._in_row:
            if tag in ("td", "th") and not leaving:
                self._line.append(" | " if self._cells else "")
                self._cells += 1
            elif tag in _BLOCKS:
                self._line.append(" ")
        elif tag == "br" and (self._preformatted or self._level is not None):
            self._line.append("" if leaving else "\n")
        elif tag in _BLOCKS:
            self._flush()
            self._gap = "\n\n" if tag in _APART else self._gap

    def _flush(self) -> None:
        line = "".join(self._line)
        self._line.clear()
        line = line.strip("\n") if self._preformatted else _SPACE.sub(" ", line).strip(" ")
        if line.strip():
            self.text.add(line, gap=self._gap, level=self._level)
            self._gap = "\n"
