"""XML from strangers: parsed without entities, network and document types, and asked for local names.

Office formats write the same elements in several families of namespaces, so names are compared without theirs.
"""

from collections.abc import Iterator
from typing import Any

from lxml import etree

Element = Any
"""An element of lxml: its stubs know neither ``iter`` with wildcards nor the nodes that are no elements."""

_NO_MEMORY = 2
"""XML_ERR_NO_MEMORY."""


def tree(data: bytes) -> Element:
    """Return the root element.

    Raises:
        SyntaxError: This is not XML, or it is nested deeper than 256 elements, or has a text of more than 10 MB.
        MemoryError: It needs more memory than there is.
    """
    # A parser of its own for every part: libxml2's limits on entities are kept for a parser, not for a document.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        if out_of_memory(error):
            raise MemoryError from error
        raise
    if root is None:
        raise SyntaxError("no element")
    return root


def out_of_memory(error: BaseException) -> bool:
    """Tell whether a syntax error of lxml is none."""
    return getattr(error, "code", None) == _NO_MEMORY


def name(element: Element) -> str:
    """Return the name without its namespace. Comments, instructions and entities have none."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def attribute(element: Element, wanted: str) -> str:
    """Return the first attribute of this local name, or an empty string."""
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == wanted), "")


def child(element: Element, *wanted: str) -> Element:
    """Return the first descendant on this path of names, or an empty tuple, which has no children either."""
    for step in wanted:
        element = next((inner for inner in element if name(inner) == step), ())
    return element


def every(element: Element, *wanted: str) -> Iterator[Element]:
    """Yield all descendants of these names, in document order."""
    return (inner for inner in element.iter() if name(inner) in wanted) if len(element) else iter(())
