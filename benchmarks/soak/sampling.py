"""What the processes hold, looked at while they work and when they rest."""

import asyncio
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from benchmarks.processes import descriptors, family, memory_bytes, private_bytes
from benchmarks.soak.traffic import Tally
from deploy.scaled.members import Member
from tests.support.invariants import Place
from tests.support.scaled import ScaledProduct

MB = 1_000_000
TABLES = (
    "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
    " and has_table_privilege(oid, 'select') order by 1"
)
KEPT = {"alembic_version", "audit_events", "procrastinate_events", "procrastinate_periodic_defers", "procrastinate_workers"}
"""Tables whose rows stay, or are changed by the clock; those of dead workers go when the next one starts."""
CONNECTIONS = "select count(*) as n from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
TASKS = re.compile(r"^docent_event_loop_tasks (\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sample:
    """One look. Memory in MB: what a process has for itself, and in ``shares`` its share of everything, children included."""

    seconds: float
    requests: int
    private: dict[str, float]
    shares: dict[str, float]
    descriptors: dict[str, int]
    tasks: int
    connections: int
    files: int
    folder: float
    rows: dict[str, int]

    def line(self) -> str:
        """Return it as a row of a table."""
        figures = [self.private["api-1"], self.private["worker-2"], *(self.shares[name] for name in ("postgres", "chroma"))]
        counts = [self.descriptors["api-1"], self.descriptors["worker-2"], self.tasks, self.connections, self.files]
        return (
            f"{self.seconds:7.0f} {self.requests:8}"
            + "".join(f"{one:10.1f}" for one in figures)
            + "".join(f"{one:8}" for one in counts)
            + f"{self.folder:9.1f}{sum(self.rows.values()):8}"
        )


HEAD = (
    "seconds requests    api MB worker MB  postgres    chroma api fds  worker   tasks connect   files  data MB    rows\n"
    "(api, worker: private; postgres, chroma: PSS; worker: the one that is not killed)"
)


@dataclass(slots=True)
class Looking:
    """Takes samples of one topology."""

    product: ScaledProduct
    place: Place
    tally: Tally
    samples: list[Sample] = field(default_factory=list)
    _began: float = field(default_factory=monotonic)

    async def look(self) -> Sample:
        """Take a sample."""
        members = self.product.topology.members
        pids = {member.name: pid for member in members if (pid := _pid(member))}
        names = [row["relname"] for row in await self.place.rows(TABLES)]
        counts = " union all ".join(f"select '{name}' as name, count(*) as n from public.{name}" for name in names)  # noqa: S608
        [connections] = await self.place.rows(CONNECTIONS)
        async with self.product.process(0).client() as client:
            told = TASKS.search((await client.get("/metrics")).text)
        files, size = await asyncio.to_thread(_files, self.product.topology.folder, self.place.files)
        return Sample(
            seconds=monotonic() - self._began,
            requests=self.tally.requests,
            private={name: private_bytes(pid) / MB for name, pid in pids.items()},
            shares={name: sum(map(memory_bytes, family(pid))) / MB for name, pid in pids.items()},
            descriptors={name: descriptors(pid) for name, pid in pids.items()},
            tasks=int(float(told[1])) if told else 0,
            connections=connections["n"],
            files=files,
            folder=size / MB,
            rows={row["name"]: row["n"] for row in await self.place.rows(counts) if row["name"] not in KEPT},
        )

    async def keep_looking(self, every: float) -> None:
        """Take samples until cancelled."""
        while True:
            self.samples.append(await self.look())
            await asyncio.sleep(every)

    async def at_rest(self, seconds: float) -> Sample:
        """Look several times within so many seconds, and return the least of what was seen: nothing that was on its way out."""
        looks, until = [await self.look()], monotonic() + seconds
        while monotonic() < until:
            await asyncio.sleep(1)
            looks.append(await self.look())
        last = looks[-1]
        return Sample(
            last.seconds,
            last.requests,
            last.private,
            last.shares,
            {name: min(one.descriptors.get(name, count) for one in looks) for name, count in last.descriptors.items()},
            min(one.tasks for one in looks),
            min(one.connections for one in looks),
            min(one.files for one in looks),
            last.folder,
            {name: min(one.rows[name] for one in looks) for name in last.rows},
        )


def shown(samples: Sequence[Sample], most: int = 16) -> list[Sample]:
    """Return some of them, evenly spread, the last one included."""
    step = max(1, -(-len(samples) // most))
    return [*samples[:-1:step], *samples[-1:]]


def _pid(member: Member) -> int:
    with suppress(ProcessLookupError, FileNotFoundError):
        return member.pid
    return 0


def _files(everything: Path, stored: Path) -> tuple[int, int]:
    """Return how many files of documents there are, half-written ones included, and the size of all there is."""
    size = 0
    for folder, _, names in os.walk(everything):  # unlike rglob it does not mind what goes meanwhile
        for name in names:
            with suppress(FileNotFoundError):
                size += os.lstat(f"{folder}/{name}").st_size
    return sum(len(names) for _, _, names in os.walk(stored)), size
