"""Measure, and work out what follows."""

import argparse
import asyncio
import platform
import tempfile
from pathlib import Path

from benchmarks.unit_costs.arithmetic import ASSUMED
from benchmarks.unit_costs.measuring import Sizes, measured
from benchmarks.unit_costs.tables import FIGURES, read, rendered, write_page

QUICK = Sizes(users=20, large_document=400, streams=30, limited=100, idle_seconds=2)


async def main(*, quick: bool, write: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="docent-costs-") as folder:
        figures = await measured(Path(folder), QUICK if quick else Sizes())
    if write:
        FIGURES.write_text(figures.as_json(), encoding="utf-8")
        write_page()
    print(rendered(figures, ASSUMED))
    print(f"Machine: {platform.machine()}, Python {platform.python_version()}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.unit_costs", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows: to see that it works")
    parser.add_argument("--write", action="store_true", help="keep the figures, and write the tables of docs/scaling.md")
    parser.add_argument("--tables", action="store_true", help="measure nothing: write the tables from the figures that are kept")
    chosen = parser.parse_args()
    if chosen.tables:
        write_page()
        print(rendered(read(), ASSUMED))
    else:
        asyncio.run(main(quick=chosen.quick, write=chosen.write))
