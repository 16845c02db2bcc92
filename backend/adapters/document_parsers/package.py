"""The ZIP archives in which Office, OpenDocument and EPUB keep a document's parts."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from lzma import LZMAError
from zipfile import ZIP_STORED, BadZipFile, ZipFile

from backend.adapters.document_parsers import ole
from backend.adapters.document_parsers.xml_tree import Element, out_of_memory, tree
from backend.core.errors import ParsingError

_MOST_PARTS = 10_000
_MOST_BYTES = 200_000_000
_FREE_BYTES = 20_000_000
_MOST_RATIO = 200
"""Of unpacked to packed bytes, past the first 20 MB; documents that people write stay below 50."""

DAMAGED = (
    BadZipFile, EOFError, OSError, zlib.error, LZMAError, KeyError, ValueError, TypeError, AttributeError, SyntaxError, IndexError,
    NotImplementedError, StopIteration,
)  # fmt: skip
"""What zipfile, lxml (its syntax errors are SyntaxErrors) and the readers raise on packages that are not as they should be."""

_KINDS = (
    ("word/", "a Word document", ".docx"),
    ("xl/", "an Excel workbook", ".xlsx"),
    ("ppt/", "a PowerPoint presentation", ".pptx"),
    ("OEBPS/", "an EPUB book", ".epub"),
)


@contextmanager
def package(data: bytes, phrase: str, root: str = "") -> Iterator[ZipFile]:
    """Open an archive whose parts can be read without harm; ``phrase`` goes after "the file is", as "a Word document".

    With a ``root``, such as ``word/``, an archive without such parts is refused. Python's reader never unpacks more than an entry
    says, and what the entries say together is bounded before the first is read. What is damaged inside of the block is translated.

    Raises:
        ParsingError: ``document_too_complex`` before anything large is unpacked, ``document_encrypted`` or
            ``document_unreadable``.
    """
    ole.refuse(data, phrase)
    try:
        with ZipFile(BytesIO(data)) as archive:
            _guard(archive, len(data), phrase)
            if root:
                _check_kind(archive, phrase, root)
            yield archive
    except DAMAGED as error:
        if out_of_memory(error):
            raise MemoryError from error
        raise damaged(phrase) from error


def damaged(phrase: str) -> ParsingError:
    """Return the refusal of a file that is broken or cut off."""
    return ParsingError(
        f"The file should be {phrase}, but it is damaged or incomplete. Upload it again; if that does not help, open it, "
        "save it under a new name, and upload that."
    )


def part(archive: ZipFile, name: str) -> Element:
    """Return the root element of a part; a ``KeyError`` tells that there is none, a ``SyntaxError`` that it is broken."""
    return tree(archive.read(name))


def _guard(archive: ZipFile, packed: int, phrase: str) -> None:
    entries = archive.infolist()
    unpacked = sum(entry.file_size for entry in entries if entry.compress_type != ZIP_STORED)  # Pictures and films are stored.
    if len(entries) > _MOST_PARTS or unpacked > _MOST_BYTES or unpacked > _FREE_BYTES + _MOST_RATIO * packed:
        message = f"The file should be {phrase}, but it unpacks to far more than its size. Save it anew, or split it into several."
        raise ParsingError(message, code="document_too_complex")
    if any(entry.flag_bits & 1 for entry in entries):
        message = "The file is protected by a password. Save a copy without one, and upload that."
        raise ParsingError(message, code="document_encrypted")


def _check_kind(archive: ZipFile, phrase: str, root: str) -> None:
    names = archive.namelist()
    if any(name.startswith(root) for name in names):
        return
    for other, what, extension in _KINDS:
        if any(name.startswith(other) for name in names):
            message = f"The file's name says {phrase}, but it is {what}. Rename it to {extension} and upload it again."
            raise ParsingError(message)
