"""The command."""

import argparse
import asyncio
import tempfile
from pathlib import Path

from backend.adapters.embedders.hashing import HashingEmbedder
from backend.core.config import Settings
from backend.core.logging import configure_logging
from backend.ports.embedder import Embedder
from benchmarks import retrieval
from benchmarks.retrieval.asking import Asked, ask_all
from benchmarks.retrieval.embedders import onnx
from benchmarks.retrieval.sets import read_sets
from benchmarks.retrieval.sweeping import sweep
from benchmarks.retrieval.tables import HEAD, machine, refusals, rows


async def main() -> None:
    options = argparse.ArgumentParser(prog="python -m benchmarks.retrieval", description=retrieval.__doc__)
    options.add_argument("--datasets", type=Path, required=True, help="a folder of sets, or one set")
    options.add_argument("--model", type=Path, help="a folder with an ONNX model; without it, hashing alone")
    options.add_argument("--sweep", action="store_true", help="print what other weights and thresholds would give")
    options.add_argument("--chunk", type=int, help="cut passages of at most so many characters (the product's are of 700)")
    chosen = options.parse_args()
    configure_logging("error", "auto")
    sets = read_sets(chosen.datasets)
    embedders: dict[str, Embedder] = {"onnx": await onnx(chosen.model)} if chosen.model else {}
    embedders["hashing"] = HashingEmbedder()
    print(f"{machine()}\n\n{HEAD}", flush=True)
    found: dict[str, dict[str, list[Asked]]] = {}
    for name, embedder in embedders.items():
        if chosen.chunk:
            # Passages are cut to 80 % of what an embedder takes.
            embedder.max_characters = chosen.chunk * 5 // 4
        with tempfile.TemporaryDirectory(prefix="docent-benchmark-") as folder:
            found[name] = await ask_all(settings(Path(folder)), embedder, sets, aliens=len(sets) > 1)
        for one, asked in found[name].items():
            print("\n".join(rows(one, name, asked)), flush=True)
    if len(sets) > 1:
        print("\n" + "\n".join(refusals(found)))
    if chosen.sweep:
        for name, by_set in found.items():
            print("\n".join(["", *sweep(name, by_set)]))


def settings(folder: Path) -> Settings:
    """Return those of an installation in this folder, with nothing from the environment."""
    values = {"data_dir": folder, "chat_provider": "extractive", "embedder": "hashing", "worker": False, "limits_enabled": False}
    return Settings(_env_file=None, **values)  # type: ignore[arg-type] # checked by pydantic


if __name__ == "__main__":
    asyncio.run(main())
