"""XML of any kind: the text of its elements, in the order of the document."""

import re
from html import unescape

from lxml import etree

from backend.adapters.document_parsers.canonical import canonical
from backend.adapters.document_parsers.composer import Composer
from backend.adapters.document_parsers.decoding import decode
from backend.adapters.document_parsers.xml_tree import Element, name, tree
from backend.ports.document_parser import ParsedDocument

_DECLARATION = re.compile(r"\s*<\?xml\s[^>]*?\?>\s*")
_DECLARED = re.compile(rb"""<\?xml\s[^>]*?encoding\s*=\s*["']([\w.:-]+)""")
_PROSE = frozenset(("p", "para", "simpara", "div", "span", "text", "li", "item", "listitem", "td", "th", "b", "i", "em", "a"))
"""Names of elements that say nothing about their text."""

_FOR_MACHINES = frozenset(("class", "style", "schemaLocation", "noNamespaceSchemaLocation", "nil", "space", "lang"))
_SPACE = re.compile(r"[ \t\n]+")
_NOT_TEXT = re.compile(r"<!\[CDATA\[(.*?)(?:\]\]>|\Z)|<!--(?:.*?-->|(.*)\Z)|<\?(?:.*?\?>|(.*)\Z)|</?[^\s<>][^<>]*>", re.DOTALL)
"""What opens and never closes hides nothing, and is looked for once: the pattern takes linear time."""

_BLANK_LINES = re.compile(r"\s*\n\s*")


def parse(data: bytes) -> ParsedDocument:
    """Read a line for each element with text, ``name (attribute: value): text``; an element that is a record begins a new block.

    Elements within a sentence stay in its line. No entity of the document's own is expanded and nothing is fetched. What is not
    well-formed is read as text without its tags, all of it.
    """
    declared = _DECLARED.search(data[:1024])
    markup = canonical(decode(data, declared[1].decode("ascii") if declared else None))
    declaration = _DECLARATION.match(markup)
    composer = Composer()
    try:
        root = tree(markup[declaration.end() if declaration else 0 :].strip().encode())
    except SyntaxError:
        composer.add(_without_tags(markup))
    else:
        _add(composer, root)
    return composer.document()


def _add(composer: Composer, element: Element) -> None:
    children = [child for child in element if name(child)]
    label = _label(element)
    if not children or _is_mixed(element):
        text = _SPACE.sub(" ", _text(element)).strip()
        composer.add(f"{label}: {text}" if label and text else label if "(" in label else text)
        return
    composer.add(label if "(" in label else "")
    for child in children:
        if any(name(inner) for inner in child) and not _is_mixed(child):
            block = Composer()
            _add(block, child)
            composer.append(block.document())
        else:
            _add(composer, child)


def _is_mixed(element: Element) -> bool:
    """Tell whether there is text between the children: then they are parts of a sentence."""
    return bool((element.text or "").strip()) or any((child.tail or "").strip() for child in element)


def _label(element: Element) -> str:
    told = [
        f"{key.rpartition('}')[2]}: {_SPACE.sub(' ', value).strip()}"
        for key, value in element.attrib.items()
        if value.strip() and key.rpartition("}")[2] not in _FOR_MACHINES
    ]
    if told:
        return f"{name(element)} ({', '.join(told)})"
    return "" if name(element) in _PROSE else name(element)


def _text(element: Element) -> str:
    """Return all text inside of an element; a reference to an entity that only the document defines stays as it is written."""
    parts = [element.text or ""]
    for child in element:
        if name(child):
            parts.append(_text(child))
        elif child.tag is etree.Entity:
            parts.append(unescape(child.text or ""))
        parts.append(child.tail or "")
    return "".join(parts)


def _without_tags(markup: str) -> str:
    text = _NOT_TEXT.sub(lambda match: match[match.lastindex] if match.lastindex else "\n", markup)
    return _BLANK_LINES.sub("\n", unescape(text)).strip()
