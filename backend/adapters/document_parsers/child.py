"""The process that reads one document: ``python -I -m backend.adapters.document_parsers.child MEDIA_TYPE MEMORY CPU``.

It takes the file on stdin and answers on stdout (``reply``). MEMORY is in bytes, CPU in seconds.
"""

import os
import sys
from importlib import import_module
from types import TracebackType
from typing import BinaryIO

from backend.adapters.document_parsers.formats import BY_MEDIA_TYPE
from backend.adapters.document_parsers.limits import confine
from backend.adapters.document_parsers.reply import MOST_POSITIONS, OUT_OF_MEMORY, encode, encode_refusal
from backend.core.errors import ParsingError
from backend.ports.document_parser import ParsedDocument


def main(media_type: str, memory_bytes: int, cpu_seconds: int) -> None:
    """Read the document and answer; never returns.

    The parser is imported before the limits hold, so that Python may store its bytecode, but nothing of the file is read.
    """
    out = _answers_only()
    parser = import_module(f"{__package__ or 'backend.adapters.document_parsers'}.{BY_MEDIA_TYPE[media_type].module}")
    confine(memory_bytes, cpu_seconds)
    sys.excepthook = lambda kind, _, trace: _report(out, kind, trace)
    try:
        for piece in encode(_checked(parser.parse(sys.stdin.buffer.read()))):
            out.write(piece)
    except ParsingError as refusal:
        out.write(encode_refusal(refusal.code, refusal.message))
    except RecursionError:
        message = "The parts of the document are nested too deeply. Save it in another format, such as PDF, and upload that."
        out.write(encode_refusal("document_too_complex", message))
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    out.flush()
    os._exit(0)  # Taking a large document apart again would only cost time.


def _checked(document: ParsedDocument) -> ParsedDocument:
    if not document.text.strip():
        message = "There is no text in this document. If it shows pictures of text, run text recognition (OCR) on it first."
        raise ParsingError(message, code="document_without_text")
    if len(document.pages) + len(document.headings) > MOST_POSITIONS:
        message = "The document has more pages and headings than this server reads. Split it into several files."
        raise ParsingError(message, code="document_too_complex")
    return document


def _answers_only() -> BinaryIO:
    """Take stdout for answers, so that nothing that a library prints gets in between."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return out


def _report(out: BinaryIO, kind: type[BaseException], trace: TracebackType | None) -> None:
    """Answer that the parser has a defect, and where; without the exception's message, which may quote the document."""
    places: list[str] = []
    while trace is not None:
        places.append(f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}")
        trace = trace.tb_next
    out.write(encode_refusal("parser_crashed", "The document could not be read.", f"{kind.__name__} at {' > '.join(places[-8:])}"))
    out.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
