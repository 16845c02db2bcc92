"""A PostgreSQL server of its own, from the binaries of the wheel, with the roles that deploy/postgres-init.sql makes."""

from pathlib import Path

from backend.adapters.servers.embedded_postgres import LOCALE
from backend.adapters.servers.postgres_binaries import installation, server_user
from backend.adapters.servers.postgres_cluster import SETTINGS, PostgresCluster
from backend.adapters.servers.private_files import LOOPBACK, remembered_port
from backend.adapters.servers.processes import output_of, plain_environment
from deploy.scaled.answering import succeeds
from deploy.scaled.credentials import Credentials
from deploy.scaled.members import Member, MemberNotStartedError

SUPERUSER = "postgres"
ROLES = Path(__file__).parents[1] / "postgres-init.sql"
_SETTINGS = (*SETTINGS, "max_connections=200")


class PostgresServer:
    """The server of one folder: ``member`` runs it, once ``make_cluster`` was called; then ``make_roles``."""

    def __init__(self, folder: Path, lock: int, credentials: Credentials) -> None:
        self._credentials = credentials
        user = server_user(folder / "postgres")
        self._binaries = installation(user) / "bin"
        self._cluster = PostgresCluster(folder / "postgres", folder / "logs" / "postgres.log", lock, user, self._binaries)
        self.port = remembered_port(folder / "postgres.port")
        self.member = Member(
            self._cluster.server(self.port, _SETTINGS),
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
        if self._cluster.folder.exists():
            return
        password = self._credentials.superuser
        if not await self._cluster.make("postgres.new", superuser=SUPERUSER, password=password, locale=LOCALE):
            raise MemberNotStartedError(f"initdb failed. Its log is {self._cluster.log}.")

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
        status, _, errors = await output_of(command, "", plain_environment(**passwords))
        if status != 0:
            raise MemberNotStartedError(f"{ROLES.name} failed: {errors.strip()}")
