"""What a crash of the machine must not undo."""

import os
from pathlib import Path


def force_to_disk(path: Path) -> None:
    """Write what the operating system still holds of a file, or of a folder's list of names, to the disk.

    Raises:
        OSError: The disk did not take it, or there is no such path.
    """
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
