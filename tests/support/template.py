"""A data folder whose database is made and migrated, to begin others with: 2 s of a core less at each first start."""

import asyncio
import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from backend.adapters.servers.private_files import prepare_data_folder
from backend.adapters.servers.supervisor import open_servers
from backend.db.migrations import migrate

OF_ONE_PLACE = ("*.port", "lock", "logs", "instance.json")
_turn = asyncio.Lock()


async def begun(folder: Path) -> None:
    """Give a data folder that is not there yet the database that the first start would make. First starts are tested elsewhere."""
    if await asyncio.to_thread(folder.exists):
        return
    async with _turn:
        template = _place()
        if not template.exists():
            draft = template.with_name("draft")
            async with open_servers(draft, postgres=True, chroma=False) as servers:
                assert servers.owner_url is not None
                await migrate(servers.owner_url)
            for pattern in OF_ONE_PLACE:
                for path in draft.glob(pattern):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            draft.rename(template)
    draft = prepare_data_folder(folder.with_name(f".{folder.name}-draft"))  # Never a folder that is half there.
    copying = await asyncio.create_subprocess_exec("cp", "-a", f"{template}/.", str(draft))
    assert await copying.wait() == 0
    draft.rename(folder)


@cache
def _place() -> Path:
    home = Path(tempfile.mkdtemp(prefix="docent-template-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    return home / "data"
