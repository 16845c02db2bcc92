"""A cluster of PostgreSQL in a folder, and the programs that work on it."""

import os
import shutil
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backend.adapters.servers.processes import Program, User, end, plain_environment, spawn

SETTINGS = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "password_encryption=scram-sha-256",
    "jit=off",
    "shared_buffers=64MB",
)
"""Of every server of ours: on loopback only, with scram."""


@dataclass(frozen=True, slots=True)
class PostgresCluster:
    """A folder with a database, the user that its server runs as (``None``: we ourselves), and where its programs are.

    ``lock`` is the descriptor of the lock that the programs keep until they are down, ``log`` the file with their output.
    """

    folder: Path
    log: Path
    lock: int
    user: User | None
    binaries: Path

    def server(self, port: int, settings: Sequence[str]) -> Program:
        """Return the server of this cluster, as a program to run."""
        given = (argument for setting in settings for argument in ("-c", setting))
        return self._program("postgres", self.folder, "-p", str(port), *given)

    async def make(self, draft: str, *, superuser: str, password: str, locale: Sequence[str]) -> bool:
        """Make the cluster under the name ``draft`` beside its own, which it gets when it is whole. Returns whether it is."""
        beside = self.folder.with_name(draft)
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(mode=0o700)
        if self.user is not None:
            os.chown(beside, self.user.uid, self.user.gid)
        if await self._initdb(beside, superuser, password, locale) != 0:
            return False
        beside.rename(self.folder)
        return True

    def _program(self, tool: str, folder: Path, *arguments: str) -> Program:
        # PostgreSQL refuses to be root, and the other user may not walk through our folder: it starts inside of the cluster and
        # never needs the path to it.
        where = "/proc/self/cwd" if self.user is not None else str(folder)
        return Program(
            name="postgres",
            command=(str(self.binaries / tool), "-D", where, *arguments),
            folder=folder,
            stop=signal.SIGINT,  # Fast shutdown: SIGTERM would wait for the clients.
            log=self.log,
            environment=plain_environment(LC_ALL="C", TZ="UTC"),
            user=self.user,
        )

    async def _initdb(self, draft: Path, superuser: str, password: str, locale: Sequence[str]) -> int:
        reader, writer = os.pipe()
        try:
            os.write(writer, f"{password}\n".encode())
            os.close(writer)
            if self.user is not None:
                os.fchown(reader, self.user.uid, self.user.gid)  # Else the other user may not open /dev/fd.
            options = ("-U", superuser, "--auth=scram-sha-256", f"--pwfile=/dev/fd/{reader}", "-E", "UTF8", *locale)
            process = await spawn(self._program("initdb", draft, *options), self.lock, inherited=(reader,))
        finally:
            os.close(reader)
        try:
            return await process.wait()
        finally:
            await end(process)
