"""What a Markdown renderer would do with a text."""

from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.utils import EnvType

_ACTIVE = ("image", "link_open", "html_inline", "html_block")
_RENDERERS = (MarkdownIt("commonmark"), MarkdownIt("commonmark").enable(["table", "strikethrough"]))


def active(text: str) -> list[str]:
    """Return the images, links, tags and definitions that renderers find: by CommonMark, and with GitHub's tables."""
    found: list[str] = []
    for renderer in _RENDERERS:
        environment: EnvType = {}
        found += [f"{token.type} {token.attrs} {token.content}" for token in _tokens(renderer.parse(text, environment))]
        found += list(environment.get("references", {}))
    return found


def _tokens(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        if token.type in _ACTIVE:
            yield token
        yield from _tokens(token.children or ())
