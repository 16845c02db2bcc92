"""What Docent adds to the time of the model: ``python -m benchmarks.streams``.

A stand-in model, the servers and the client are processes of their own. Streams ask again as soon as they are answered, each at
another moment. For each number of streams all targets are measured in turn, ``--rounds`` times; the table has the medians.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median, quantiles

import orjson
import uvloop

from benchmarks.processes import cpu_seconds, family, machine, running
from benchmarks.streams.client import Seen, Target, ask_at_once
from benchmarks.streams.model import NAME
from benchmarks.streams.promises import Row, verdicts
from benchmarks.verdicts import tell
from tests.support.product import Product, running_product

ACCOUNTS = 16
QUESTION = "What do you know about the lighthouse of Alexandria?"


def post(path: str, port: int, body: object, token: str | None = None) -> bytes:
    """Return the bytes of a request."""
    data = orjson.dumps(body)
    credentials = f"Authorization: Bearer {token}\r\n" if token else ""
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{credentials}"
        f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    ).encode() + data


def row(seen: Seen, used: dict[int, float], main: int, *, streams: int, seconds: float) -> Row:
    tokens = max(len(seen.lags), 1)
    return Row(
        median(seen.firsts or [float("nan")]),
        _p99(seen.firsts),
        median(seen.lags or [float("nan")]),
        _p99(seen.lags),
        _p99(seen.gaps),
        len(seen.lags) / (streams * seconds * 20),
        used[main] / tokens * 1e6,
        sum(used.values()) / tokens * 1e6,
        tuple(seen.failures),
    )


def _p99(values: Sequence[float]) -> float:
    return quantiles(values, n=100)[98] if len(values) > 1 else float("nan")


async def measure(target: Target, pid: int, streams: int, *, seconds: float, tokens: int) -> Row:
    warm_up = min(tokens * 0.05, 6.0) + 2
    counting = asyncio.create_task(ask_at_once(target, streams, warm_up=warm_up, seconds=seconds, tokens=tokens))
    await asyncio.sleep(warm_up)
    pids = family(pid)
    before = {one: cpu_seconds(one) for one in pids}
    await asyncio.sleep(seconds - 0.1)
    used = {one: cpu_seconds(one) - before[one] for one in set(pids) & set(family(pid))}
    return row(await counting, used, pid, streams=streams, seconds=seconds)


async def main(numbers: list[int], rounds: int, seconds: float, tokens: int, only: list[str]) -> dict[int, dict[str, list[Row]]]:
    print(machine())
    measured: dict[int, dict[str, list[Row]]] = {}
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="docent-streams-")))
        model = await stack.enter_async_context(running("benchmarks.streams.model", str(tokens)))
        url = f"http://127.0.0.1:{model.port}"
        relay = await stack.enter_async_context(running("benchmarks.streams.passthrough", url))
        product = await stack.enter_async_context(
            running_product(
                folder / "data", chat_provider="ollama", embedder="hashing", ollama_url=url, chat_max_tokens=tokens + 10
            )
        )
        targets = await _targets(stack, model.port, relay.port, product)
        pids = {"direct": model.pid, "pass-through": relay.pid}
        for streams in numbers:
            rows = measured[streams] = {}
            for _ in range(rounds):
                for target in targets:
                    if only and target.name not in only:
                        continue
                    pid = pids.get(target.name, product.process.pid)
                    rows.setdefault(target.name, []).append(await measure(target, pid, streams, seconds=seconds, tokens=tokens))
            _print(streams, rows)
    return measured


async def _targets(stack: AsyncExitStack, model: int, relay: int, product: Product) -> list[Target]:
    messages = [{"role": "user", "content": QUESTION}]
    plain = {"model": NAME, "messages": messages, "stream": True}
    port = int(product.url.rpartition(":")[2])
    accounts = [await stack.enter_async_context(product.account()) for _ in range(ACCOUNTS)]
    tokens = [account.access_token for account in accounts]
    question = {"query": QUESTION, "stream": True}
    return [
        Target("direct", model, (post("/api/chat", model, plain),), b'"done":true'),
        Target("pass-through", relay, (post("/api/chat", relay, plain),), b'"done":true'),
        Target("chat", port, tuple(post("/api/v1/chat/query", port, question, one) for one in tokens), b"event: done"),
        Target("openai", port, tuple(post("/v1/chat/completions", port, plain, one) for one in tokens), b"[DONE]"),
    ]


def _print(streams: int, rows: dict[str, list[Row]]) -> None:
    print(f"\n{streams} streams           first ms   p99   lag ms   p99  gap p99  offered  CPU us/token  with children  failures")
    for name, several in rows.items():

        def of(what: str) -> float:
            return float(median(getattr(one, what) for one in several))  # noqa: B023 - used at once

        failures = [failure for one in several for failure in one.failures]
        print(
            f"{name:20} {of('first'):9.1f} {of('first_p99'):6.0f} {of('lag'):7.2f} {of('lag_p99'):6.1f} {of('gap_p99'):7.1f}"
            f" {of('offered'):8.2f} {of('cpu'):11.0f} {of('cpu_of_all'):14.0f} {len(failures):9}  {failures[:1] or ''}"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streams", description=__doc__)
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 32, 128, 512])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--tokens", type=int, default=200, help="of an answer")
    parser.add_argument("--only", nargs="*", default=[], help="names of targets; then nothing is held to a promise")
    parser.add_argument("--quick", action="store_true", help="in small: whether it works, not how fast it is")
    parser.add_argument("--verdicts", type=Path, help="append what was promised and measured to this file")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.streams, chosen.rounds, chosen.seconds, chosen.tokens = [1, 32], 1, 2, 40
    measured = uvloop.run(main(chosen.streams, chosen.rounds, chosen.seconds, chosen.tokens, chosen.only))
    if not chosen.only:
        tell(verdicts(measured), chosen.verdicts)
