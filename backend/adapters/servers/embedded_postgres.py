"""The real PostgreSQL from a wheel, in the data folder."""

import asyncio
import struct
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from backend.adapters.servers.postgres_binaries import MAJOR_VERSION, installation, server_user
from backend.adapters.servers.postgres_cluster import SETTINGS, PostgresCluster
from backend.adapters.servers.postgres_roles import APP, DATABASE, OWNER, SUPERUSER, Passwords, ensure_roles, passwords_of
from backend.adapters.servers.private_files import LOOPBACK, remembered_port
from backend.adapters.servers.processes import Program, end, kept_running, spawn
from backend.core.errors import ConfigurationError, DatabaseUnavailableError

CLUSTER = "pg"
LOCALE: tuple[str, ...] = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
_RECOVERY_SECONDS = 300.0
_PROBE_SECONDS = 0.01
_PORTS_TO_TRY = 3

_SETTINGS = (
    *SETTINGS,
    "log_destination=stderr",
    "logging_collector=off",
    # What goes wrong is told, and not with which rows, keys and statements: those hold people's texts, and passwords of roles.
    "log_error_verbosity=terse",
    "log_min_error_statement=panic",
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PostgresUrls:
    """SQLAlchemy URLs with credentials: of the role that migrates, and of the role that serves."""

    owner: str
    app: str


class EmbeddedPostgres:
    """One cluster of a data folder and its server; see ``embedded_postgres``.

    Others than ``pg`` are there while one of another major version is being replaced.
    """

    def __init__(
        self, folder: Path, lock: int, *, cluster: str = CLUSTER, major: str = MAJOR_VERSION, connections: int = 100
    ) -> None:
        self._settings = (*_SETTINGS, f"max_connections={connections}")
        self._lock = lock
        self._major = major
        self._port_file = folder / ("postgres.port" if cluster == CLUSTER else f"{cluster}.port")
        self._log = folder / "logs" / "postgres.log"
        user = server_user(folder / CLUSTER)
        self.binaries = installation(user, major) / "bin"
        self._cluster = PostgresCluster(folder / cluster, self._log, lock, user, self.binaries)
        self.passwords = passwords_of(folder, cluster_exists=(folder / CLUSTER).exists())

    async def ensure_cluster(self) -> None:
        """Make the cluster if there is none; half a cluster never gets the final name."""
        made = self._cluster.folder
        if made.exists():
            version = (made / "PG_VERSION").read_text().strip()
            if version != self._major:
                raise ConfigurationError(f"{made} was made by PostgreSQL {version}, and this is {self._major}.")
            return
        password = self.passwords.superuser
        if not await self._cluster.make("pg.new", superuser=SUPERUSER, password=password, locale=LOCALE):
            raise self._not_started("initdb failed")

    async def start(self) -> tuple[Program, Process, int]:
        """Start the server, wait until it takes connections, and make its roles."""
        problem: str | None = None
        for _ in range(_PORTS_TO_TRY):
            port = remembered_port(self._port_file)
            program = self._cluster.server(port, self._settings)
            process = await spawn(program, self._lock)
            try:
                problem = await self._prepared(process, port)
                if problem is None:
                    return program, process, port
                with suppress(TimeoutError):  # If another program took the port meanwhile, ours is ending now.
                    await asyncio.wait_for(process.wait(), 1.0)
                ended_by_itself = process.returncode is not None
            except BaseException:
                await end(process)
                raise
            await end(process)
            if not ended_by_itself:
                break
            log.warning("postgres_not_started", port=port, problem=problem)
        raise self._not_started(problem or "it ended at once")

    async def _prepared(self, process: Process, port: int) -> str | None:
        if not await _accepts_connections(process, port):
            return "it ended, or did not take connections"
        return await ensure_roles(self.binaries / "psql", port, self.passwords)

    def _not_started(self, problem: str) -> DatabaseUnavailableError:
        return DatabaseUnavailableError(f"The embedded PostgreSQL did not start ({problem}). Its log is {self._log}.")

    def urls(self, port: int) -> PostgresUrls:
        """Return where the roles that migrate and serve connect to."""
        passwords: Passwords = self.passwords
        place = f"{LOOPBACK}:{port}/{DATABASE}"
        return PostgresUrls(
            owner=f"postgresql+asyncpg://{OWNER}:{passwords.owner}@{place}",
            app=f"postgresql+asyncpg://{APP}:{passwords.app}@{place}",
        )


async def _accepts_connections(process: Process, port: int) -> bool:
    """Wait until the server asks for a password, which it does from the moment that it serves. False if it ended first."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _RECOVERY_SECONDS
    while process.returncode is None and loop.time() < deadline:
        if await _asks_for_a_password(port):
            return True
        await asyncio.sleep(_PROBE_SECONDS)
    return False


async def _asks_for_a_password(port: int) -> bool:
    """Send a start-up message, and read the kind of the answer: R (authenticate), or E (still starting up)."""
    body = struct.pack("!I", 0x00030000) + f"user\0{SUPERUSER}\0database\0postgres\0\0".encode()
    try:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    try:
        writer.write(struct.pack("!I", len(body) + 4) + body)
        return await asyncio.wait_for(reader.read(1), 1.0) == b"R"
    except OSError:  # TimeoutError is one.
        return False
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


@asynccontextmanager
async def embedded_postgres(folder: Path, lock: int, *, connections: int = 100) -> AsyncIterator[PostgresUrls]:
    """Run PostgreSQL within the block: durable, on loopback only, with scram, restarted on the same port when it dies.

    Raises:
        DatabaseUnavailableError: It did not start; the message names its log.
        ConfigurationError: Its programs, passwords or port cannot be had, or the cluster is of another major version.
    """
    server = EmbeddedPostgres(folder, lock, connections=connections)
    await server.ensure_cluster()
    program, process, port = await server.start()
    async with kept_running(program, process, lock):
        yield server.urls(port)
