"""The benchmark of starts and memory: what it counts, and how its figures are told."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE

from benchmarks.footprint.kinds import API, OTHERS, by_kind
from benchmarks.footprint.promises import MB, Start, verdicts
from benchmarks.processes import memory_bytes

CHILD = "import sys; print(flush=True); sys.stdin.read()  # "
PARENT = f"""
import subprocess, sys
def child(name):
    return subprocess.Popen([sys.executable, "-c", {CHILD!r} + name], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
children = [child(name) for name in ("chromadb_rust_bindings", "postgres", "postgres", "")]
for one in children:
    one.stdout.readline()
print(flush=True)
sys.stdin.read()
for one in children:
    one.communicate()
"""


async def test_memory_is_told_by_what_the_processes_are() -> None:
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PARENT, stdin=PIPE, stdout=PIPE)
    assert parent.stdout is not None
    await parent.stdout.readline()
    with_children = by_kind(parent.pid, memory_bytes)
    await parent.communicate(b"")

    assert with_children.keys() == {API, "Chroma", "PostgreSQL", OTHERS}
    assert with_children["PostgreSQL"] > with_children["Chroma"] > MB


async def test_a_process_that_has_ended_has_no_memory() -> None:
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "", stdout=DEVNULL)
    await child.wait()

    assert by_kind(child.pid, memory_bytes) == {API: 0}


def test_starts_are_told_by_their_median_and_memory_in_millions_of_bytes() -> None:
    starts = [Start(3.0, 9.0), Start(5.0, 9.0), Start(3.5, 9.0)]

    start, api, everything = verdicts(starts, {API: 170 * MB, "Chroma": 100 * MB, "PostgreSQL": 151 * MB})

    assert [one.figure for one in (start, api, everything)] == [3.5, 170.0, 421.0]
    assert [one.met for one in (start, api, everything)] == [True, True, False]
