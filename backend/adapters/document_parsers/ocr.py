"""Text recognition (OCR) by tesseract, where it is installed on the server."""

import os
import shutil
import subprocess
from functools import cache

DOTS_PER_INCH = 300
"""What tesseract was trained on."""

_OSD = "osd"
_NOT_LANGUAGES = frozenset((_OSD, "equ"))
_MOST_LANGUAGES = 8
"""Each language takes its time on every page."""

_LISTING_SECONDS = 10
_PAGE_IS_READ_IN_TURN = "1"
"""Automatic, with the page turned upright first (``--psm 1``); it needs tesseract's data ``osd``."""


class RecognitionError(Exception):
    """Tesseract failed on a page."""


class RecognitionTimeoutError(RecognitionError):
    """The time was over before tesseract had read the page."""


@cache
def arguments() -> tuple[str, ...]:
    """Return the command that reads a picture on stdin, in all languages that are installed, English first; empty without one."""
    program = shutil.which("tesseract")
    if program is None:
        return ()
    listing = _run((program, "--list-langs"), b"", _LISTING_SECONDS).decode("utf-8", "replace").splitlines()[1:]
    names = sorted({line.strip() for line in listing if line.strip() and "/" not in line} - _NOT_LANGUAGES)
    languages = sorted(names, key=lambda name: name != "eng")[:_MOST_LANGUAGES]
    if not languages:
        return ()
    upright = ("--psm", _PAGE_IS_READ_IN_TURN) if any(line.strip() == _OSD for line in listing) else ()
    return (program, "stdin", "stdout", "-l", "+".join(languages), *upright)


def recognised(picture: bytes, seconds: float) -> str:
    """Return the text of a picture (PGM, at 300 dots per inch or so), in at most so many seconds.

    Raises:
        RecognitionError: Tesseract failed on it.
        RecognitionTimeoutError: It took longer.
    """
    text = _run((*arguments(), "--dpi", str(DOTS_PER_INCH)), picture, seconds).decode("utf-8", "replace")
    return "\n".join(line.rstrip() for line in text.replace("\f", "").strip().split("\n"))


def _run(command: tuple[str, ...], data: bytes, seconds: float) -> bytes:
    """Run in this process's group and under its limits, so that whatever ends this process ends it too."""
    if seconds <= 0:
        raise RecognitionTimeoutError
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}  # Its threads cost more than they gain, and memory.
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=seconds, env=environment, check=True)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise RecognitionTimeoutError from error
    except (subprocess.CalledProcessError, OSError) as error:
        raise RecognitionError from error
    return done.stdout
