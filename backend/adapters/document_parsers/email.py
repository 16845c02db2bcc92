"""Saved e-mail (.eml)."""

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from typing import TypeAlias

from backend.adapters.document_parsers import html
from backend.adapters.document_parsers.canonical import canonical
from backend.adapters.document_parsers.composer import Composer
from backend.adapters.document_parsers.decoding import decode
from backend.core.errors import ParsingError
from backend.ports.document_parser import ParsedDocument

_HEADERS = ("From", "To", "Cc", "Subject", "Date")
_SPACE = re.compile(r"\s+")
_ENCRYPTED = ("application/pkcs7-mime", "application/x-pkcs7-mime")

Mail: TypeAlias = "Message[str, str]"


def parse(data: bytes) -> ParsedDocument:
    """Read From, To, Cc, Subject and Date, a line each, the text, and the names of what is attached; the subject is the heading.

    Of the same text in several forms, plain text is read, else HTML. Mails that are forwarded as attachments are read where they
    are. What is attached in other formats has to be uploaded for itself.

    Raises:
        ParsingError: ``document_encrypted`` (S/MIME or PGP).
    """
    composer = Composer()
    _add_mail(composer, message_from_bytes(data), 1)
    return composer.document()


def _add_mail(composer: Composer, mail: Mail, level: int) -> None:
    gap = "\n\n"
    for name in _HEADERS:
        for value in (value for key, value in mail.raw_items() if key.lower() == name.lower()):
            composer.add(f"{name}: {_header(value)}", gap=gap, level=level if name == "Subject" else None)
            gap = "\n"
    for part in _readable(mail):
        _add_part(composer, part, level)


def _readable(part: Mail) -> Iterator[Mail]:
    """Yield the parts to read, in order; of alternatives, one."""
    kind = part.get_content_type()
    if kind == "multipart/encrypted" or (kind in _ENCRYPTED and part.get_param("smime-type") != "signed-data"):
        message = "The e-mail is encrypted. Open it in your mail program, save it without encryption and upload that."
        raise ParsingError(message, code="document_encrypted")
    children = _children(part)
    if kind == "message/rfc822" or not part.is_multipart():
        yield part
    elif kind == "multipart/alternative":
        yield from _best(children)
    else:
        for child in children:
            yield from _readable(child)


def _children(part: Mail) -> list[Mail]:
    payload = part.get_payload()
    return [child for child in payload if isinstance(child, Message)] if isinstance(payload, list) else []


def _best(alternatives: list[Mail]) -> Iterator[Mail]:
    readings = [list(_readable(alternative)) for alternative in alternatives]
    for kind in ("text/plain", "text/html"):
        for reading in readings:
            if any(part.get_content_type() == kind and _text(part).strip() for part in reading):
                yield from reading
                return
    for reading in readings[-1:]:  # The last is the richest (RFC 2046, section 5.1.4).
        yield from reading


def _add_part(composer: Composer, part: Mail, level: int) -> None:
    kind = part.get_content_type()
    if kind == "message/rfc822":
        for mail in _children(part):
            _add_mail(composer, mail, min(level + 1, 6))
    elif part.get_filename() is not None or part.get_content_disposition() == "attachment":
        composer.add(f"Attachment: {_header(part.get_filename() or kind)}", gap="\n\n")
    elif kind == "text/html":
        composer.append(html.parse(_text(part).encode("utf-8", "replace")))
    elif kind.startswith("text/"):
        composer.add(canonical(_text(part)).strip("\n"), gap="\n\n")


def _text(part: Mail) -> str:
    payload = part.get_payload(decode=True)
    return decode(payload, part.get_content_charset()) if isinstance(payload, bytes) else ""


def _header(value: object) -> str:
    """Return a header in one line, its encoded words decoded, also those of senders who do not keep to the rules."""
    raw = decode(str(value).encode("utf-8", "surrogateescape"))
    try:
        words = decode_header(raw)
    except (HeaderParseError, ValueError):
        words = [(raw, None)]
    text = "".join(word if isinstance(word, str) else decode(word, charset) for word, charset in words)
    return _SPACE.sub(" ", text).strip()
