"""A PostgreSQL server of its own, from the binaries of the wheel, with the roles that deploy/postgres-init.sql makes."""

import os
import shutil
import signal
from pathlib import Path

from backend.adapters.servers.postgres_binaries import installation, server_user
from backend.adapters.servers.private_files import LOOPBACK, remembered_port
from backend.adapters.servers.processes import Program, end, output_of, plain_environment, spawn
from deploy.scaled.answering import succeeds
from deploy.scaled.credentials import Credentials
from deploy.scaled.members import Member, MemberNotStartedError

SUPERUSER = "postgres"
ROLES = Path(__file__).parents[1] / "postgres-init.sql"
_SETTINGS = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "password_encryption=scram-sha-256",
    "jit=off",
    "max_connections=200",
    "shared_buffers=64MB",
)


class PostgresServer:
    """The server of one folder: ``member`` runs it, once ``make_cluster`` was called; then ``make_roles``."""

    def __init__(self, folder: Path, lock: int, credentials: Credentials) -> None:
        self._cluster = folder / "postgres"
        self._log = folder / "logs" / "postgres.log"
        self._lock = lock
        self._credentials = credentials
        self._user = server_user(self._cluster)
        self._binaries = installation(self._user) / "bin"
        self.port = remembered_port(folder / "postgres.port")
        settings = (argument for setting in _SETTINGS for argument in ("-c", setting))
        self.member = Member(
            self._program("postgres", self._cluster, "-p", str(self.port), *settings),
            lock,
            succeeds(str(self._binaries / "pg_isready"), "-q", "-h", LOOPBACK, "-p", str(self.port)),
            f"postgresql://{LOOPBACK}:{self.port}/docent",
        )

    def url(self, role: str, password: str) -> str:
        """Return the database's address, with a role's password in it."""
        return f"postgresql://{role}:{password}@{LOOPBACK}:{self.port}/docent"

    async def make_cluster(self) -> None:
        """Make the cluster, if there is none; half a cluster never gets its name.

        Raises:
            MemberNotStartedError: initdb failed; the log says why.
        """
        if self._cluster.exists():
            return
        draft = self._cluster.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if self._user is not None:
            os.chown(draft, self._user.uid, self._user.gid)
        if await self._initdb(draft) != 0:
            raise MemberNotStartedError(f"initdb failed. Its log is {self._log}.")
        draft.rename(self._cluster)

    async def make_roles(self) -> None:
        """Make the roles and the database as an operator does; again is harmless.

        Raises:
            MemberNotStartedError: The script failed.
        """
        place = ("-h", LOOPBACK, "-p", str(self.port), "-U", SUPERUSER, "-d", "postgres")
        passwords = {
            "PGPASSWORD": self._credentials.superuser,
            "DOCENT_OWNER_PASSWORD": self._credentials.owner,
            "DOCENT_APP_PASSWORD": self._credentials.app,
        }
        command = (str(self._binaries / "psql"), "-X", "-q", "-w", *place, "-f", str(ROLES))
        status, errors = await output_of(command, "", plain_environment(**passwords))
        if status != 0:
            raise MemberNotStartedError(f"{ROLES.name} failed: {errors.strip()}")

    def _program(self, tool: str, cluster: Path, *arguments: str) -> Program:
        # PostgreSQL refuses to be root, and another user may not walk through our folder: it starts inside of the cluster.
        where = "/proc/self/cwd" if self._user is not None else str(cluster)
        return Program(
            name="postgres",
            command=(str(self._binaries / tool), "-D", where, *arguments),
            folder=cluster,
            stop=signal.SIGINT,  # Fast shutdown: SIGTERM would wait for the clients.
            log=self._log,
            environment=plain_environment(LC_ALL="C", TZ="UTC"),
            user=self._user,
        )

    async def _initdb(self, draft: Path) -> int:
        reader, writer = os.pipe()
        try:
            os.write(writer, f"{self._credentials.superuser}\n".encode())
            os.close(writer)
            if self._user is not None:
                os.fchown(reader, self._user.uid, self._user.gid)  # Else the other user may not open /dev/fd.
            options = (
                *("-U", SUPERUSER, "--auth=scram-sha-256", f"--pwfile=/dev/fd/{reader}"),
                *("-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
            )
            process = await spawn(self._program("initdb", draft, *options), self._lock, inherited=(reader,))
        finally:
            os.close(reader)
        try:
            return await process.wait()
        finally:
            await end(process)
