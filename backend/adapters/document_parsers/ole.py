"""The container of the old Office formats (OLE2), in which also protected files of the new formats come."""

import struct

from backend.core.errors import ParsingError

MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

WORKBOOKS = ("Workbook", "Book", "WORKBOOK", "BOOK")
"""The names of the stream with the sheets, by writer."""

_ENTRY_BYTES = 128
_FREE = 0xFFFFFFFF
_SPECIAL = 0xFFFFFFFA
"""Numbers from here on are no sectors."""

_LISTED_IN_HEADER = slice(76, 512)
_LOCKED = "The file is protected by a password. Open it, remove the password, save it, and upload that copy."


def refuse(data: bytes, phrase: str) -> None:
    """Raise what such a container means under the name of a new format; return if the bytes are none.

    Raises:
        ParsingError: ``document_encrypted``, or ``document_unreadable`` for a file of an old format.
    """
    if not data.startswith(MARK):
        return
    if holds(data, "EncryptedPackage"):
        raise ParsingError(_LOCKED, code="document_encrypted")
    if holds(data, *WORKBOOKS):
        raise ParsingError(
            f"The file's name says {phrase}, but it is an old Excel workbook. Rename it to .xls and upload it again."
        )
    raise old_format(data)


def old_format(data: bytes) -> ParsingError:
    """Return the refusal of a container that holds no workbook."""
    if holds(data, "EncryptedPackage"):
        return ParsingError(_LOCKED, code="document_encrypted")
    if holds(data, "WordDocument"):
        return ParsingError("This is a Word document in the old format (.doc). Save it as .docx or PDF and upload that.")
    if holds(data, "PowerPoint Document"):
        return ParsingError("This is a PowerPoint presentation in the old format (.ppt). Save it as .pptx or PDF and upload that.")
    return ParsingError(
        "The file is damaged, incomplete, or not from Office. Upload it again; if that does not help, open it, save it as .docx, "
        ".xlsx, .pptx or PDF, and upload that."
    )


def holds(data: bytes, *streams: str) -> bool:
    """Tell whether the container has a stream of one of these names: its directory is made of entries that begin with them."""
    return any(_has_entry(data, (stream + "\0").encode("utf-16-le")) for stream in streams)


def complete(data: bytes) -> bool:
    """Tell whether the last sector that the container's table gives to anything is there.

    A reader may not miss it, and would then take a part of a sheet for the whole.
    """
    shift = int.from_bytes(data[30:32], "little")
    if shift not in (9, 12) or len(data) < 512:
        return False
    size = 1 << shift
    tables = list(_numbers(data[_LISTED_IN_HEADER]))
    more = int.from_bytes(data[68:72], "little")
    for _ in range(len(data) // size):  # Large containers list further tables in a chain of sectors.
        if (more + 1) * size >= len(data):
            break
        *listed, more = _numbers(data[(more + 1) * size : (more + 2) * size])
        tables += listed
    used = -1
    for number, table in enumerate(table for table in tables if table < _SPECIAL):
        sector = data[(table + 1) * size : (table + 2) * size]
        if len(sector) < size:
            return False
        for place, follower in enumerate(_numbers(sector)):
            used = number * size // 4 + place if follower != _FREE else used
    return (used + 2) * size <= len(data)


def _numbers(sector: bytes) -> tuple[int, ...]:
    whole = len(sector) // 4
    return struct.unpack(f"<{whole}I", sector[: whole * 4])


def _has_entry(data: bytes, name: bytes) -> bool:
    at = data.find(name)
    while at >= 0:
        if at % _ENTRY_BYTES == 0:
            return True
        at = data.find(name, at + 1)
    return False
