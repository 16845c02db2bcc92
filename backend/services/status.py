"""What is up, and what is not."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from time import monotonic, perf_counter
from typing import Literal

import structlog

from backend.core.errors import DocentError
from backend.core.transactions import assert_no_transaction
from backend.core.values.status import Check
from backend.db.uow import UnitOfWork
from backend.ports.probe import Probe

log = structlog.get_logger(__name__)

CHECK_SECONDS = 3.0
KEPT_SECONDS = 3.0
"""How long an outcome is told again. An outage shows that much later, and strangers who ask without end cost nobody more."""

VITAL = frozenset({"postgresql", "blobs"})

Try = tuple[str, Callable[[], Awaitable[None]]]
"""The address that is shown, and what raises where nothing answers there."""


class StatusService:
    """Tells how what the system depends on is doing, and services of the operator's own, which it does not depend on.

    ``checks`` are tried by calling them. ``own`` are addresses by name, with the one that is shown; they are asked by the probe.
    However many ask at once, each service is tried once in ``kept_seconds``. With ``guarded`` it tells what kind of thing is wrong,
    and the log what exactly: names of models and the like are no stranger's business.
    """

    def __init__(
        self,
        uow: UnitOfWork,
        probe: Probe,
        *,
        postgresql: str,
        checks: Mapping[str, Try],
        own: Mapping[str, tuple[str, str]],
        guarded: bool = False,
        kept_seconds: float = KEPT_SECONDS,
    ) -> None:
        self._uow = uow
        self._probe = probe
        self._needed = _Round({"postgresql": (postgresql, self._check_database), **checks}, kept_seconds, guarded=guarded)
        self._own = _Round({name: (shown, self._asking(url)) for name, (shown, url) in own.items()}, kept_seconds, guarded=guarded)

    async def needed(self) -> Sequence[Check]:
        """Return how everything is doing that the system depends on."""
        assert_no_transaction("checking the services")
        return await self._needed.outcome()

    async def services(self) -> Sequence[Check]:
        """Return the same, and behind it the operator's own services."""
        assert_no_transaction("checking the services")
        needed, own = await asyncio.gather(self._needed.outcome(), self._own.outcome())
        return [*needed, *own]

    async def aclose(self) -> None:
        """Close the probe's connections."""
        await self._probe.aclose()

    def _asking(self, url: str) -> Callable[[], Awaitable[None]]:
        async def ask() -> None:
            await self._probe.check(url)

        return ask

    async def _check_database(self) -> None:
        async with self._uow.system() as tx:
            await tx.settings.get("embedder")


class _Round:
    """Tries some services all at once, each with a deadline, and remembers how that ended."""

    def __init__(self, tries: Mapping[str, Try], kept_seconds: float, *, guarded: bool) -> None:
        self._tries = tries
        self._guarded = guarded
        self._kept_seconds = kept_seconds
        self._outcome: Sequence[Check] = ()
        self._good_until = 0.0
        self._lock = asyncio.Lock()

    async def outcome(self) -> Sequence[Check]:
        # Who comes while the services are being tried waits here, and then finds the outcome.
        async with self._lock:
            if monotonic() >= self._good_until:
                self._outcome = await asyncio.gather(*(self._tried(name, url, check) for name, (url, check) in self._tries.items()))
                self._good_until = monotonic() + self._kept_seconds
            return self._outcome

    async def _tried(self, name: str, url: str, check: Callable[[], Awaitable[None]]) -> Check:
        begun = perf_counter()
        status: Literal["up", "down"] = "up"
        detail = None
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await check()
        except TimeoutError:
            status, detail = "down", "No answer in time."
        except DocentError as error:
            status, detail = "down", type(error).message if self._guarded else error.message
            if self._guarded:
                log.warning("service_down", service=name, code=error.code, detail=error.message)
        return Check(name, url, status, round((perf_counter() - begun) * 1000, 1), detail, vital=name in VITAL)
