"""Server processes under their watcher: starting, ending, and keeping one running."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from backend.adapters.servers.private_files import open_log

_WATCHER = Path(__file__).with_name("watcher.py")
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
_HEALTHY_SECONDS = 60.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class User:
    """An account of the operating system that a server runs as."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Program:
    """A server to run. ``command`` begins with an absolute path; ``stop`` is the signal that ends it in order.

    ``user`` is ``None`` to run as ourselves; ``log`` is the absolute path of the file that its output is appended to, beside which
    a few full ones are kept. ``prepare`` is called before every start, in a thread; the program inherits the descriptor that it
    returns.
    """

    name: str
    command: Sequence[str]
    folder: Path
    stop: signal.Signals
    log: Path
    environment: Mapping[str, str]
    user: User | None = None
    prepare: Callable[[], int] | None = None


async def spawn(program: Program, lock: int, *, inherited: Sequence[int] = ()) -> Process:
    """Start a program under a watcher, which ends it when this process ends or ``end`` is called.

    ``lock`` is the descriptor of the data folder's lock; the watcher keeps it until the program is down. ``inherited``
    descriptors reach the program itself.

    Raises:
        OSError: The watcher could not be started, or the preparation failed.
    """
    prepared: list[int] = []
    try:
        if program.prepare is not None:
            await _to_the_end(_prepare(program.prepare, prepared))
        return await _under_watcher(program, lock, (*inherited, *prepared))
    finally:
        for descriptor in prepared:
            os.close(descriptor)


async def _under_watcher(program: Program, lock: int, inherited: Sequence[int]) -> Process:
    user = program.user or User(-1, -1)
    output = open_log(program.log)
    try:
        return await asyncio.create_subprocess_exec(
            *(
                sys.executable,
                "-I",
                "-S",
                str(_WATCHER),
                str(user.uid),
                str(user.gid),
                str(int(program.stop)),
                str(lock),
                str(program.log),
            ),
            *program.command,
            stdin=PIPE,
            stdout=output,
            stderr=STDOUT,
            cwd=program.folder,
            env=dict(program.environment),
            pass_fds=(lock, *inherited),
            start_new_session=True,  # Ctrl-C in a terminal goes to the whole group; only the launcher shall act on it.
        )
    finally:
        os.close(output)


async def _prepare(prepare: Callable[[], int], descriptors: list[int]) -> None:
    descriptors.append(await asyncio.to_thread(prepare))


def _ask_to_end(process: Process) -> None:
    if process.stdin is not None:
        process.stdin.close()


async def end(process: Process) -> None:
    """Stop the program and wait until nothing of it is left, even if the calling task is cancelled meanwhile."""
    _ask_to_end(process)
    await _to_the_end(_wait(process))


async def _wait(process: Process) -> None:
    await process.wait()


async def _to_the_end(work: Coroutine[object, object, None]) -> None:
    """Finish ``work``, and only then let a cancellation of the calling task go on."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    task.result()


class _Supervisor:
    """Starts a program again whenever it ends by itself."""

    def __init__(self, program: Program, process: Process, lock: int) -> None:
        self._program = program
        self._process = process
        self._lock = lock
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Return once ``stop`` was called and the program is down."""
        loop = asyncio.get_running_loop()
        pause = _FIRST_PAUSE_SECONDS
        while True:
            since = loop.time()
            status = await self._process.wait()
            if loop.time() - since > _HEALTHY_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            while not self._stopping.is_set():
                log.warning("server_ended", server=self._program.name, status=status, restart_in_seconds=pause)
                await self._sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
                if await self._restarted():
                    break
            if self._stopping.is_set():
                await end(self._process)
                return

    async def _restarted(self) -> bool:
        if self._stopping.is_set():
            return False
        try:
            self._process = await spawn(self._program, self._lock)
        except OSError as error:  # No descriptors or no memory now: the next attempt may have them.
            log.warning("server_not_started", server=self._program.name, error=repr(error))
            return False
        log.info("server_restarted", server=self._program.name)
        return True

    async def _sleep(self, seconds: float) -> None:
        await asyncio.wait([waiting := asyncio.ensure_future(self._stopping.wait())], timeout=seconds)
        waiting.cancel()

    async def stop(self, running: asyncio.Task[None]) -> None:
        self._stopping.set()
        _ask_to_end(self._process)
        await asyncio.wait([running])
        await end(self._process)  # Of use only where the event loop's own end cancelled ``running``.
        if not running.cancelled():
            running.result()


@asynccontextmanager
async def kept_running(program: Program, process: Process, lock: int) -> AsyncIterator[None]:
    """Keep a spawned program running within the block: when it ends by itself, it is started again with the same command.

    The pause before a restart is 0.1 s and doubles up to 5 s; after a minute of health it is 0.1 s again. When the block is
    left, however that happens, the program is stopped and gone.
    """
    supervisor = _Supervisor(program, process, lock)
    running = asyncio.create_task(supervisor.run(), name=f"supervise {program.name}")
    try:
        yield
    finally:
        await _to_the_end(supervisor.stop(running))


def plain_environment(**additions: str) -> dict[str, str]:
    """Return an environment for a server: where programs and libraries are, and none of our settings and secrets."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH") if name in os.environ} | additions


async def output_of(command: Sequence[str], text: str, environment: Mapping[str, str]) -> tuple[int, str, str]:
    """Run a short-lived client with ``text`` as its input. Returns its exit status, its output and its error output."""
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=dict(environment))
    try:
        output, errors = await process.communicate(text.encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, output.decode(errors="replace"), errors.decode(errors="replace")
