"""The machine: the folder, its disk, memory, descriptors, and programs that are of use."""

import os
import resource
import shutil
import stat
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from backend.core.config import Settings
from backend.core.values.finding import Finding, FindingState

MEGABYTE = 1_000_000
LITTLE_DISK, TOO_LITTLE_DISK = 2_000 * MEGABYTE, 200 * MEGABYTE
LITTLE_MEMORY = 1_000 * MEGABYTE
FEW_DESCRIPTORS = 4_096


def examined_machine(settings: Settings) -> Iterator[Finding]:
    """Look at what needs no server."""
    yield Finding("fine", "Docent", f"{version('docent')} on Python {'.'.join(map(str, sys.version_info[:3]))}")
    yield from _folder(settings.data_dir)
    yield from _secrets(Path(".env"))
    yield from _memory()
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FEW_DESCRIPTORS:
        sentence = f"This process may open {soft:,} files; each connection and each loaded collection takes some."
        yield Finding("warning", "Descriptors", sentence, "Start it with `ulimit -n 65536`, or LimitNOFILE=65536 in its unit.")
    if shutil.which("tesseract") is None:
        sentence = "tesseract is not installed: scanned pages and pictures of text are not read."
        yield Finding(
            "warning", "OCR", sentence, "apt install tesseract-ocr, and tesseract-ocr-deu and the like for other languages."
        )


def _folder(folder: Path) -> Iterator[Finding]:
    present = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(present, os.W_OK | os.X_OK):
        yield Finding("wrong", "Data folder", f"{present} cannot be written by this user.", "Set DATA_DIR, or change its owner.")
        return
    if present == folder and stat.S_IMODE(folder.stat().st_mode) & 0o077:
        yield Finding("warning", "Data folder", f"Other users of this machine may look into {folder}.", f"chmod 700 {folder}")
    free = shutil.disk_usage(present).free
    if free < LITTLE_DISK:
        state: FindingState = "wrong" if free < TOO_LITTLE_DISK else "warning"
        yield Finding(state, "Disk", f"{free // MEGABYTE:,} MB are free where {folder} is.", "Make room, or move DATA_DIR.")
    else:
        yield Finding("fine", "Data folder", f"{folder}, with {free // (1000 * MEGABYTE):,} GB free")


def _secrets(file: Path) -> Iterator[Finding]:
    if file.is_file() and stat.S_IMODE(file.stat().st_mode) & 0o077:
        yield Finding("warning", ".env", "Other users of this machine may read .env, and the secrets in it.", "chmod 600 .env")


def _memory() -> Iterator[Finding]:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return  # Not Linux.
    available = next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)
    if available is not None and available < LITTLE_MEMORY:
        sentence = f"{available // MEGABYTE:,} MB of memory are available; reading one document may take {1_024} MB."
        yield Finding("warning", "Memory", sentence, "Stop something else, or lower PARSER_MEMORY_BYTES and WORKER_CONCURRENCY.")
