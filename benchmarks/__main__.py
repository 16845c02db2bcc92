"""Everything that was promised about speed, measured one after the other: ``make bench``.

Each part starts its own stand-ins and its own product, and prints its tables; at the end is one table of what was promised.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.processes import machine
from benchmarks.verdicts import tell, told

PARTS = ("streams", "grounded", "requests", "searching", "ingestion", "hangups", "footprint")


def main() -> int:
    """Run the parts; the status says whether one of them broke, not whether a promise was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="in small: whether it works, not how fast it is")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    chosen = parser.parse_args()
    broken = []
    with tempfile.TemporaryDirectory(prefix="docent-bench-") as folder:
        file = Path(folder) / "verdicts"
        file.touch()
        for part in chosen.only:
            print(f"\n# {part}\n", flush=True)
            options = ["--verdicts", str(file), *(["--quick"] if chosen.quick else [])]
            if subprocess.run([sys.executable, "-m", f"benchmarks.{part}", *options], check=False).returncode:  # noqa: S603 - ours
                broken.append(part)
        print(f"\n# All of it\n\n{machine()}")
        tell(told(file), None)
    if broken:
        print(f"\nBroken: {', '.join(broken)}.")
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
