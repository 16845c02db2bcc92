"""Replace the API processes of a ``docent serve`` while a hundred answers are being streamed.

    make prove-rolling STREAMS=100

It takes about a minute, prints what became of every stream and every request, and fails where an answer was cut without a mark.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.faults.crashes import report
from tests.faults.rolling import reply_of, roll
from tests.support.ollama import StandInOllama
from tests.support.product import running_product

LONGEST_SECONDS = 600
LENGTHS = ("middle", "long")


async def prove(streams: int, processes: int) -> dict[str, int]:
    """Roll once; return what must not be."""
    with tempfile.TemporaryDirectory(prefix="docent-rolling-") as folder:
        async with (
            asyncio.timeout(LONGEST_SECONDS),
            StandInOllama(reply=reply_of, interval=0.1) as ollama,
            running_product(
                Path(folder) / "data",
                ready_within=180,
                api_processes=processes,
                ollama_url=ollama.url,
                chat_provider="ollama",
                embedder="hashing",
                chat_max_tokens=100_000,
            ) as product,
            product.account() as account,
        ):
            rolled = await roll(product, account, streams, lengths=LENGTHS)
    report(f"{streams} streams over {processes} processes: {rolled}")
    replaced = len(rolled.after) == processes and not set(rolled.before) & set(rolled.after)
    return rolled.bad | ({} if replaced else {"processes that were not replaced": 1})


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    bad = asyncio.run(prove(*(given + [100, 2][len(given) :])))
    report(f"bad: {bad or 'nothing'}")
    sys.exit(1 if bad else 0)
