"""Where the time of a start goes, measured apart: ``python -m benchmarks.footprint.parts BEGUN FOLDER`` prints seconds as JSON.

BEGUN is when this process was begun, in seconds of the machine's monotonic clock. The data folder was used before.
"""

import asyncio
import json
import sys
from contextlib import closing
from importlib import import_module
from pathlib import Path
from time import monotonic

PYTHON = monotonic()
IMPORTED = ("backend.cli.serve", "backend.cli.server", "backend.main", "backend.worker.tasks")
"""What ``docent serve`` imports, in its order, until it is ready."""


async def main(folder: Path) -> dict[str, float]:
    from backend.adapters.servers.supervisor import open_servers  # noqa: PLC0415 - timed
    from backend.db.migrations import migrate  # noqa: PLC0415 - the same

    parts: dict[str, float] = {}
    begun = monotonic()
    async with open_servers(folder, postgres=True, chroma=False) as servers:
        parts["PostgreSQL"] = monotonic() - begun
        begun = monotonic()
        assert servers.owner_url is not None  # noqa: S101 - it was asked for
        await migrate(servers.owner_url)
        parts["migrations"] = monotonic() - begun
    begun = monotonic()
    async with open_servers(folder, postgres=False, chroma=True) as servers:
        assert servers.chroma_url is not None  # noqa: S101 - it was asked for
        await _listens(int(servers.chroma_url.rpartition(":")[2]))
        parts["Chroma"] = monotonic() - begun
    return parts


async def _listens(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.01)
            continue
        with closing(writer):
            return


if __name__ == "__main__":
    spent = {"Python": PYTHON - float(sys.argv[1])}
    for module in IMPORTED:
        import_module(module)
    spent["imports"] = monotonic() - PYTHON
    print(json.dumps(spent | asyncio.run(main(Path(sys.argv[2])))))
