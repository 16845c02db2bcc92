"""Opening a data folder whose database an older major version of PostgreSQL made.

The old server is started once more, and everything is copied, by dump and restore, into a cluster of the new version beside it. The
old cluster is not changed, and gives its place away only when the new one is complete. ``pg_upgrade`` would be faster, but both
clusters would have to be within reach of the user that runs the servers, and agree in locale, checksums and block size.
"""

import asyncio
import os
import shutil
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from backend.adapters.servers.embedded_postgres import CLUSTER, EmbeddedPostgres, PostgresUrls, embedded_postgres
from backend.adapters.servers.postgres_binaries import MAJOR_VERSION
from backend.adapters.servers.postgres_roles import DATABASE, SUPERUSER
from backend.adapters.servers.private_files import LOOPBACK, write_private
from backend.adapters.servers.processes import end, output_of, plain_environment
from backend.core.durability import force_to_disk
from backend.core.errors import ConfigurationError, DatabaseUnavailableError, StorageFullError

NEXT = "pg.next"
ASIDE = "pg.old"
MARK = "docent_upgraded_from"
"""A file in a cluster that an upgrade has filled: what was put aside for it is not needed any more once it has started."""

_LOG_BYTES = 1024**3
"""What the new server may keep of its write-ahead log while it is filled (max_wal_size)."""
_EMPTY_BYTES = 64 * 1024**2

_OTHERS = f"select datname from pg_database where not datistemplate and datname not in ('postgres', '{DATABASE}') order by 1"  # noqa: S608 - ours
_COUNTS = r"""
select format('select %L, count(*) from %I.%I', c.oid::regclass::text, n.nspname, c.relname)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind = 'r' and n.nspname not like 'pg\_%' and n.nspname <> 'information_schema' order by 1 \gexec
select format('select %L, last_value, is_called from %I.%I', c.oid::regclass::text, n.nspname, c.relname)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'S' order by 1 \gexec
"""

log = structlog.get_logger(__name__)


@asynccontextmanager
async def upgraded_postgres(folder: Path, lock: int, *, connections: int = 100) -> AsyncIterator[PostgresUrls]:
    """Run PostgreSQL within the block, as ``embedded_postgres`` does; a cluster of an older major version is replaced first.

    Whenever this is killed, the next call has all data: it begins the upgrade again, or finds it done.

    Raises:
        ConfigurationError: The cluster is of a version whose programs are not here; the message says what to do.
        StorageFullError: There is no room for a second copy of the database; nothing was changed.
        DatabaseUnavailableError: A server did not start, or the data could not be copied; the old cluster is as it was.
    """
    await asyncio.to_thread(_put_back, folder)
    version = _version_of(folder / CLUSTER)
    if version not in (None, MAJOR_VERSION):
        assert version is not None  # noqa: S101 - for the types
        await _upgrade(folder, lock, version)
    async with embedded_postgres(folder, lock, connections=connections) as urls:
        if (folder / ASIDE).exists():
            await asyncio.to_thread(shutil.rmtree, folder / ASIDE)
            log.warning("postgres_upgraded", version=MAJOR_VERSION, removed=str(folder / ASIDE))
        yield urls


def _version_of(cluster: Path) -> str | None:
    return (cluster / "PG_VERSION").read_text(encoding="utf-8").strip() if cluster.exists() else None


def _put_back(folder: Path) -> None:
    """Go back to the old cluster where an upgrade was cut between its two renames, and remove what one left unfinished."""
    cluster, aside, unfinished = (folder / name for name in (CLUSTER, ASIDE, NEXT))
    if aside.exists() and not cluster.exists():
        aside.rename(cluster)
    if aside.exists() and not (cluster / MARK).exists():
        raise ConfigurationError(
            f"There are two databases: {aside}, which an upgrade has put aside, and {cluster}, which is not what it made. "
            f"Keep the one with your data as {cluster}, and move the other one to another folder."
        )
    shutil.rmtree(unfinished, ignore_errors=True)


async def _upgrade(folder: Path, lock: int, version: str) -> None:
    old = _of_version(folder, lock, version)
    await asyncio.to_thread(_assert_room, folder)
    log.warning("postgres_upgrade_begins", version=version, to=MAJOR_VERSION, data_dir=str(folder))
    new = EmbeddedPostgres(folder, lock, cluster=NEXT)
    try:
        await new.ensure_cluster()
        async with _serving(old) as source, _serving(new) as target:
            await _copy(old, source, new, target)
        await asyncio.to_thread(_exchange, folder, version)
    except BaseException:
        await asyncio.to_thread(shutil.rmtree, folder / NEXT, ignore_errors=True)
        raise
    finally:
        (folder / f"{NEXT}.port").unlink(missing_ok=True)


def _of_version(folder: Path, lock: int, version: str) -> EmbeddedPostgres:
    made = f"The database in {folder / CLUSTER} was made by PostgreSQL {version}, and this release has {MAJOR_VERSION}."
    if version.isdecimal() and int(version) > int(MAJOR_VERSION):
        raise ConfigurationError(f"{made} Use the release of Docent that made it, or a newer one.")
    try:
        return EmbeddedPostgres(folder, lock, major=version)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"{made} Run `docent backup FILE` with the release of Docent that made it, and `docent restore FILE` with this one "
            "and an empty DATA_DIR."
        ) from error


def _assert_room(folder: Path) -> None:
    size = sum(path.lstat().st_size for path in (folder / CLUSTER).rglob("*"))
    needed = size + min(size, _LOG_BYTES) + _EMPTY_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StorageFullError(
            f"The database in {folder / CLUSTER} has to be copied for PostgreSQL {MAJOR_VERSION}, which takes "
            f"{needed / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free. Make room, and start again; nothing was changed."
        )


@asynccontextmanager
async def _serving(postgres: EmbeddedPostgres) -> AsyncIterator[int]:
    """Run a server within the block, and stop it in order: all that it was told is on the disk then. Yields its port."""
    _, process, port = await postgres.start()
    try:
        yield port
    finally:
        await end(process)


async def _copy(old: EmbeddedPostgres, source: int, new: EmbeddedPostgres, target: int) -> None:
    names = (await _asked(old, source, "postgres", _OTHERS)).split()
    for name in (DATABASE, *names):
        await _restore(old, source, new, target, name)
        before, after = [await _asked(server, port, name, _COUNTS) for server, port in ((old, source), (new, target))]
        if before != after:
            raise DatabaseUnavailableError(f"The upgrade of PostgreSQL has not copied all rows of {name!r}. Nothing was changed.")
        await _asked(new, target, name, "analyze")


async def _restore(old: EmbeddedPostgres, source: int, new: EmbeddedPostgres, target: int, name: str) -> None:
    """Stream a database from one server into the other, with the programs of the new version."""
    ours = name == DATABASE  # The launcher has made it, with its roles.
    dump = (str(new.binaries / "pg_dump"), *_to(source, name), "-Fc", "-Z", "0", *(() if ours else ("-C",)))
    restore = (
        str(new.binaries / "pg_restore"),
        "--exit-on-error",
        *_to(target, name if ours else "postgres"),
        *(() if ours else ("-C",)),
    )
    reader, writer = os.pipe()
    try:
        dumping = await asyncio.create_subprocess_exec(*dump, stdout=writer, stderr=PIPE, env=_environment(old))
        restoring = await asyncio.create_subprocess_exec(*restore, stdin=reader, stderr=PIPE, env=_environment(new))
    finally:
        os.close(reader)
        os.close(writer)
    try:
        complaints = await asyncio.gather(dumping.communicate(), restoring.communicate())
    finally:
        for process in (dumping, restoring):
            if process.returncode is None:
                process.kill()
                await process.wait()
    if dumping.returncode or restoring.returncode:
        # The first lines say what happened; those after them may quote the rows.
        told = " ".join(errors.decode(errors="replace").partition("\n")[0] for _, errors in complaints if errors)
        log.error("postgres_upgrade_failed", database=name, problem=told)
        raise DatabaseUnavailableError(f"The upgrade of PostgreSQL could not copy {name!r}. Nothing was changed. {told}")


async def _asked(server: EmbeddedPostgres, port: int, name: str, sql: str) -> str:
    """Return what the superuser is answered."""
    command = (str(server.binaries / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", *_to(port, name), "-f", "-")
    status, answer, errors = await output_of(command, sql, _environment(server))
    if status != 0:
        raise DatabaseUnavailableError(f"The upgrade of PostgreSQL failed. Nothing was changed. {errors.strip()}")
    return answer


def _to(port: int, name: str) -> tuple[str, ...]:
    return ("-w", "-h", LOOPBACK, "-p", str(port), "-U", SUPERUSER, "-d", name)


def _environment(server: EmbeddedPostgres) -> dict[str, str]:
    return plain_environment(PGPASSWORD=server.passwords.superuser)


def _exchange(folder: Path, version: str) -> None:
    """Give the new cluster its place. A crash between the renames leaves no ``pg``, and the old one is put back."""
    cluster, aside, filled = (folder / name for name in (CLUSTER, ASIDE, NEXT))
    write_private(filled / MARK, f"{version}\n")
    force_to_disk(filled)
    cluster.rename(aside)
    filled.rename(cluster)
    force_to_disk(folder)
