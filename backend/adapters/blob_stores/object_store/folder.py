"""What obstore leaves to do in a local folder: durability, privacy, and what killed processes left."""

import os
from pathlib import Path

from backend.core.durability import force_to_disk


def settle(folder: Path, key: str) -> None:
    """Make a file private, and force it and every folder down to it to the disk."""
    path = folder / key
    path.chmod(0o600)
    force_to_disk(path)
    if os.name == "posix":  # elsewhere a folder cannot be opened
        for parent in path.relative_to(folder).parents:
            force_to_disk(folder / parent)


def sweep(folder: Path, before: float) -> int:
    """Remove the staging files, whose names obstore marks with ``#``, that were last written before a time."""
    removed = 0
    for path in list(folder.rglob("*#*")):
        try:
            if path.is_file() and path.stat().st_mtime <= before:
                path.unlink()
                removed += 1
        except FileNotFoundError:
            continue  # Its writer finished or gave up in this moment.
    return removed
