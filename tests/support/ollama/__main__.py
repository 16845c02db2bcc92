"""``python -m tests.support.ollama --port N``: the stand-in for other processes. Prints its URL and runs until a signal."""

import argparse
import asyncio
import signal
import sys

from tests.support.ollama import StandInOllama


async def serve(port: int, interval: float) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with StandInOllama(port=port, interval=interval) as ollama:
        sys.stdout.write(f"{ollama.url}\n")
        sys.stdout.flush()
        await stop.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.support.ollama", description="A stand-in for an Ollama server.")
    parser.add_argument("--port", type=int, default=11434, help="0 takes a free one")
    parser.add_argument("--interval", type=float, default=0.0, help="seconds between two pieces of a reply")
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.port, arguments.interval))
