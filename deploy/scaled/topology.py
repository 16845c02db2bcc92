"""What runs, in which order, and with which settings: those of docker-compose.yml."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from backend.adapters.servers.embedded_chroma import COMMAND
from backend.adapters.servers.instance import Instance, take_lock
from backend.adapters.servers.private_files import LOOPBACK, prepare_data_folder, remembered_port, write_private
from backend.adapters.servers.processes import Program, end, plain_environment, spawn
from deploy.scaled.answering import pongs, says, serves
from deploy.scaled.balancer import balanced
from deploy.scaled.credentials import credentials_of
from deploy.scaled.members import Answers, Member, MemberNotStartedError
from deploy.scaled.postgres import PostgresServer

DOCENT = Path(sys.executable).with_name("docent")
CHROMA_SETTINGS = Path(__file__).parents[1] / "chroma.yaml"
REDIS_OPTIONS = ("--save", "", "--appendonly", "no", "--maxmemory", "256mb", "--maxmemory-policy", "allkeys-lru")
"""Nothing on disk: what it holds is for a few minutes, and without it answers go on."""


@dataclass(frozen=True, slots=True)
class Scaled:
    """The running topology. ``url`` is the address of all API processes together.

    ``environment`` is what commands of the product want (``docent user create``, ``docent check``), and holds secrets. ``redis`` is
    ``None`` where redis-server is not installed or not wanted.
    """

    url: str
    folder: Path
    environment: dict[str, str]
    postgres: Member
    chroma: Member
    redis: Member | None
    apis: list[Member] = field(default_factory=list)
    workers: list[Member] = field(default_factory=list)
    ui: Member | None = None

    @property
    def members(self) -> list[Member]:
        """All of them, those that others need first."""
        servers = [self.postgres, self.chroma, *filter(None, [self.redis])]
        return [*servers, *self.workers, *self.apis, *filter(None, [self.ui])]


class _Builder:
    """Makes the members of one folder, on ports that the folder remembers."""

    def __init__(self, folder: Path, lock: int, settings: Mapping[str, object]) -> None:
        self.folder = folder
        self.lock = lock
        self.credentials = credentials_of(folder)
        self.postgres = PostgresServer(folder, lock, self.credentials)
        self._chroma_port, self._redis_port = self.port("chroma"), self.port("redis")
        plain = {
            "environment": "production",
            "chat_provider": "extractive",
            "embedder": "hashing",
            "log_format": "json",
            **settings,
            "secret_key": self.credentials.secret_key,
            "database_url": self.postgres.url("docent_app", self.credentials.app),
            "chroma_url": f"http://{LOOPBACK}:{self._chroma_port}",
            "host": LOOPBACK,
            "data_dir": folder / "files",
        }
        self.environment = plain_environment(**{name.upper(): str(value) for name, value in plain.items()})

    def port(self, name: str) -> int:
        return remembered_port(self.folder / f"{name}.port")

    def program(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Program:
        # Started outside of any checkout, so that nobody's .env gets in.
        log = self.folder / "logs" / f"{name}.log"
        return Program(name, command, self.folder, signal.SIGTERM, log, environment)

    def chroma(self) -> Member:
        """Chroma's server, as deploy/chroma.yaml wants it, but for its address and its folder."""
        own = {
            "port": str(self._chroma_port),
            "listen_address": f'"{LOOPBACK}"',
            "persist_path": f'"{self.folder / "chroma"}"',
        }
        lines = (line.partition(":") for line in CHROMA_SETTINGS.read_text(encoding="utf-8").splitlines())
        path = self.folder / "chroma.yaml"
        write_private(
            path, "".join(f"{name}: {own[name]}\n" if name in own else f"{name}{colon}{value}\n" for name, colon, value in lines)
        )
        environment = plain_environment(ANONYMIZED_TELEMETRY="False", RUST_LOG="warn")
        program = self.program("chroma", (*COMMAND, str(path)), environment)
        return Member(program, self.lock, serves(self._chroma_port, "/api/v2/heartbeat"), f"http://{LOOPBACK}:{self._chroma_port}")

    def redis(self) -> Member | None:
        """Redis, where it is installed. From here on our processes know of it."""
        found = shutil.which("redis-server")
        if found is None:
            return None
        url = f"redis://{LOOPBACK}:{self._redis_port}/0"
        self.environment["REDIS_URL"] = url
        command = (found, "--bind", LOOPBACK, "--port", str(self._redis_port), *REDIS_OPTIONS)
        return Member(self.program("redis", command, plain_environment()), self.lock, pongs(self._redis_port), url)

    def api(self, name: str) -> Member:
        port = self.port(name)
        answers = serves(port, "/health")
        return self._ours(name, "serve", answers, f"http://{LOOPBACK}:{port}", PORT=port, WORKER="false", UI_ENABLED="false")

    def worker(self, name: str) -> Member:
        return self._ours(name, "worker", says("worker is ready"), None)

    def ui(self, port: int, api_url: str) -> Member:
        """The pages, which know no secret: browsers reach them at their own port, and the API at the balancer's."""
        environment = plain_environment(HOST=LOOPBACK, UI_PORT=str(port), UI_API_URL=api_url, UI_PUBLIC_API_URL=api_url)
        program = self.program("ui", (str(DOCENT), "ui"), environment)
        return Member(program, self.lock, serves(port, "/_stcore/health"), f"http://{LOOPBACK}:{port}")

    async def migrate(self) -> None:
        """Run ``docent migrate`` with the role that owns the tables, which no other process knows.

        Raises:
            MemberNotStartedError: It failed; the message ends with what it said.
        """
        owner = self.postgres.url("docent_owner", self.credentials.owner)
        program = self.program("migrate", (str(DOCENT), "migrate"), {**self.environment, "DATABASE_OWNER_URL": owner})
        process = await spawn(program, self.lock)
        try:
            if await process.wait() != 0:
                raise MemberNotStartedError(f"docent migrate failed:\n{program.log.read_text(encoding='utf-8', errors='replace')}")
        finally:
            await end(process)

    def _ours(self, name: str, command: str, answers: Answers, url: str | None, **own: object) -> Member:
        environment = {**self.environment, **{key: str(value) for key, value in own.items()}}
        return Member(self.program(name, (str(DOCENT), command), environment), self.lock, answers, url)


@asynccontextmanager
async def scaled(
    folder: Path, *, apis: int = 2, workers: int = 2, ui: bool = False, redis: bool = True, port: int = 0, **settings: object
) -> AsyncIterator[Scaled]:
    """Run the topology within the block, all of it in one folder that may be used again, and yield it when it answers.

    ``settings`` are those of the product, in lower case; without any it runs as production, with quotes for answers and the
    hashing embedder. ``port`` is the balancer's, 0 a free one. When the block is left, or this process dies in whatever way,
    everything ends.

    Raises:
        MemberNotStartedError: Something did not start; the message ends with what it said.
        InstanceRunningError: The folder is in use.
    """
    folder = prepare_data_folder(folder)
    async with AsyncExitStack() as stack:
        lock = await take_lock(folder, attach=False)
        assert not isinstance(lock, Instance)  # noqa: S101 - returned only to those who attach
        stack.callback(os.close, lock)
        pages = remembered_port(folder / "ui.port")
        builder = _Builder(folder, lock, {**({"ui_url": f"http://{LOOPBACK}:{pages}/"} if ui else {}), **settings})
        server = builder.postgres
        await server.make_cluster()
        await _started(stack, [server.member])
        await server.make_roles()
        cache = builder.redis() if redis else None
        index = builder.chroma()
        await asyncio.gather(_started(stack, [index, *filter(None, [cache])]), builder.migrate())
        serving = [builder.api(f"api-{number}") for number in range(1, apis + 1)]
        working = [builder.worker(f"worker-{number}") for number in range(1, workers + 1)]
        await _started(stack, [*serving, *working])
        ports = [int(api.url.rpartition(":")[2]) for api in serving if api.url is not None]
        url = f"http://{LOOPBACK}:{await stack.enter_async_context(balanced(ports, port))}"
        shown = builder.ui(pages, url) if ui else None
        await _started(stack, [shown] if shown is not None else [])
        yield Scaled(url, folder, builder.environment, server.member, index, cache, serving, working, shown)


async def _started(stack: AsyncExitStack, members: Sequence[Member]) -> None:
    """Start members beside each other. The stack ends them, however far they came."""
    stack.push_async_callback(_ended, members)
    await asyncio.gather(*(member.start() for member in members))


async def _ended(members: Iterable[Member]) -> None:
    await asyncio.gather(*(member.end() for member in members))
