"""What a token of OpenAI's wire format costs: our adapter over aiohttp, the openai SDK, the SDK over aiohttp, and langchain.

``python -m benchmarks.providers``: the same paced streams from a server in a process of its own, read by each client in turn.
CPU is this process's, for all that a client does from the socket to the text.
"""

import argparse
import asyncio
import importlib.util
import os
import platform
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing
from typing import Any

import openai

from backend.adapters.chat_models.langchain import LangChainChatModel
from backend.adapters.chat_models.openai_compatible import OpenAICompatibleChatModel, preset_for
from backend.ports.chat_model import ChatModel, Generation, Prompt, Turn
from tests.support.ollama import CHAT_MODEL, StandInOllama

MODEL = CHAT_MODEL.name
Client = Callable[[], AsyncIterator[str]]


async def serve(tokens: int, interval: float) -> None:
    async with StandInOllama(reply=["word "] * tokens, interval=interval) as server:
        print(server.url, flush=True)
        await asyncio.Event().wait()


def of_adapter(model: ChatModel) -> Client:
    async def read() -> AsyncIterator[str]:
        prompt = Prompt((Turn("user", "Hello?"),), "Hello?")
        async with aclosing(model.stream(prompt, Generation(MODEL, 4096))) as pieces:
            async for piece in pieces:
                if piece.text:
                    yield piece.text

    return read


def of_sdk(client: openai.AsyncOpenAI) -> Client:
    async def read() -> AsyncIterator[str]:
        stream = await client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "Hello?"}], stream=True, stream_options={"include_usage": True}
        )
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content

    return read


def clients(url: str, stack: AsyncExitStack) -> dict[str, Client]:
    base = f"{url}/v1"
    settings: dict[str, Any] = {"base_url": base, "api_key": "x", "max_retries": 0}
    own = OpenAICompatibleChatModel(preset_for("vllm", base))
    stack.push_async_callback(own.aclose)
    sdk = {"openai SDK (httpx)": openai.AsyncOpenAI(**settings)}
    if importlib.util.find_spec("httpx_aiohttp") is not None:
        sdk["openai SDK (aiohttp)"] = openai.AsyncOpenAI(**settings, http_client=openai.DefaultAioHttpClient())
    for client in sdk.values():
        stack.push_async_callback(client.close)
    found = {"our adapter (aiohttp)": of_adapter(own)} | {name: of_sdk(client) for name, client in sdk.items()}
    if importlib.util.find_spec("langchain_openai") is not None:
        through = LangChainChatModel("openai", arguments={"base_url": base, "api_key": "x"})
        found["our adapter (langchain)"] = of_adapter(through)
    return found


async def one(client: Client) -> tuple[float, int]:
    """Read a stream; return the milliseconds to its first token, and its tokens."""
    begun, first, tokens = time.perf_counter(), 0.0, 0
    async for _ in client():
        first = first or time.perf_counter() - begun
        tokens += 1
    return first * 1000, tokens


async def measure(streams: int, rounds: int, known: dict[str, Client], *, tokens: int) -> None:
    for name, client in known.items():
        await one(client)
        firsts: list[float] = []
        read, cpu = 0, time.process_time()
        for _ in range(rounds):
            results = await asyncio.gather(*(one(client) for _ in range(streams)))
            firsts += [first for first, _ in results]
            read += sum(count for _, count in results)
        spent = time.process_time() - cpu
        if read != streams * rounds * tokens:
            raise RuntimeError(f"{name} lost tokens: {read} of {streams * rounds * tokens}")
        first = statistics.median(firsts)
        print(f"| {name} | {streams} | {spent / read * 1e6:.0f} us | {first:.0f} ms | {max(firsts):.0f} ms |", flush=True)


async def main(tokens: int, interval: float, rounds: int) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.providers",
        *("--serve", "--tokens", str(tokens), "--interval", str(interval)),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        url = (await process.stdout.readline()).decode().strip() if process.stdout is not None else ""
        print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, openai {openai.__version__}")
        print(f"{tokens} tokens a stream, one each {interval * 1000:.0f} ms; the first one is sent after that long\n")
        print("| client | streams | CPU per token | first token, median | worst |\n|---|---|---|---|---|")
        async with AsyncExitStack() as stack:
            known = clients(url, stack)
            for streams in (1, 32):
                await measure(streams, rounds * (4 if streams == 1 else 1), known, tokens=tokens)
    finally:
        process.terminate()
        await process.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", action="store_true", help="be the server")
    parser.add_argument("--tokens", type=int, default=100)
    parser.add_argument("--interval", type=float, default=0.02)
    parser.add_argument("--rounds", type=int, default=2)
    chosen = parser.parse_args()
    asyncio.run(serve(chosen.tokens, chosen.interval) if chosen.serve else main(chosen.tokens, chosen.interval, chosen.rounds))
