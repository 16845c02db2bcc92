"""Source code: the text stays as it was written, and its definitions are its headings."""

import re
from collections.abc import Iterator

from backend.adapters.document_parsers.canonical import canonical
from backend.adapters.document_parsers.decoding import decode
from backend.adapters.document_parsers.outline import lines_of, outlined
from backend.ports.document_parser import ParsedDocument

_CODING = re.compile(rb"\A(?:.*\n)?[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")

_MODIFIERS = (
    r"(?:(?:export|default|declare|public|private|protected|internal|static|final|abstract|sealed|partial|open|async|unsafe|inline|"
    r"extern|const|override|virtual|local|case|data|suspend|pub(?:\([\w: ]+\))?|template[ \t]*<[^>]*>)[ \t]+)*"
)
_DEFINITION = re.compile(
    _MODIFIERS
    + r"(?:class|interface|struct|enum(?:[ \t]+class)?|trait|protocol|impl|mod|module|namespace|object|record|extension|mixin|"
    r"union|def|defp|defmodule|defmacro|function|func|fn|fun|sub|proc|type|message|service|resource|data|variable|output)"
    r"(?:[ \t]*<[^>]*>[ \t]*|[ \t]+(?:\([^)]*\)[ \t]*)?)"  # Rust's impl<T> and the receivers of Go.
    r"[\w\"$@*&][\w.:\"$!?-]*"
    r"(?:[ \t]*$|[ \t]*[(<:={\[,;]|.*(?:\{|\{[ \t]*\}|:|\bdo|\bwhere)[ \t]*$)"
)
_LISP = re.compile(r"\((?:def\w*|ns)[ \t]")
_ASSIGNED = re.compile(
    r"(?:export[ \t]+)?(?:const|let|var)[ \t]+\w+[^=]*=[ \t]*(?:async\b[ \t]*)?(?:function\b|\([^)]*\)[^=]*=>|\w+[ \t]*=>)"
    r"|[\w.]+[ \t]*(?:<-|=)[ \t]*(?:async[ \t]+)?function\b"
)
_SHELL = re.compile(r"[\w:-]+[ \t]*\(\)[ \t]*\{?[ \t]*$")
_FUNCTION = re.compile(r"(?!extern\b|typedef\b)(?:[A-Za-z_][\w:<>,.\[\]]*[ \t*&]+)+[*&]*~?[\w:~]+\([^;=]*$")
_METHOD = re.compile(
    r"(?:(?:public|private|protected|internal|static|final|abstract|override|virtual|async|synchronized)[ \t]+)+"
    r"(?:[\w<>\[\],?.]+[ \t]+)?\w+\([^;=]*$"
)
_STATEMENT = re.compile(
    r"(?:if|for|foreach|while|switch|return|else|elif|catch|throw|new|using|import|from|do|await|yield|not|assert)\b"
)


def parse(data: bytes) -> ParsedDocument:
    """Decode source code, by its declaration (PEP 263) where it has one.

    A heading is the first line of a definition, so that a citation names its function: level 1 at the left margin, level 2 where
    it is indented once. It is told by the words that languages have in common and not by their grammars.
    """
    declared = _CODING.match(data)
    text = canonical(decode(data, declared[1].decode("ascii", "ignore") if declared else None))
    return outlined(text, _definitions(text))


def _definitions(text: str) -> Iterator[tuple[int, int, str]]:
    for start, line in lines_of(text):
        code = line.lstrip()
        indent = line[: len(line) - len(code)]
        if not code or _STATEMENT.match(code) or not (indent == "\t" or (len(indent) <= 4 and "\t" not in indent)):
            continue
        inside = bool(indent)
        if _DEFINITION.match(code) or (_METHOD if inside else _FUNCTION).match(code) or (not inside and _at_the_margin(code)):
            yield start, 1 + inside, code.rstrip("{: \t")


def _at_the_margin(code: str) -> bool:
    return any(pattern.match(code) for pattern in (_LISP, _ASSIGNED, _SHELL))
