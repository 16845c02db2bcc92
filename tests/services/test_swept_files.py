"""Files that a killed process left half written, where others share the folder."""

import asyncio
import os
from pathlib import Path
from uuid import uuid4

from backend.bootstrap.application import SWEEPING
from tests.conftest import ApplicationFactory


def half_written(folder: Path, *, hours_ago: float) -> Path:
    key = uuid4().hex
    path = folder / "files" / "blobs" / key[-2:] / f"{key}#1"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"half of it")
    at = path.stat().st_mtime - hours_ago * 3600
    os.utime(path, (at, at))
    return path


async def test_a_process_that_starts_beside_others_removes_what_nobody_writes_to_any_more(
    application: ApplicationFactory, tmp_path: Path
) -> None:
    left, running = half_written(tmp_path, hours_ago=2), half_written(tmp_path, hours_ago=0)

    async with application() as app:
        assert not app.exclusive, "others may be writing to the folder"
        await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name() == SWEEPING))

    assert (left.exists(), running.exists()) == (False, True)
