"""What the product measures, together with what can only be looked at: the queue, the pool, the services it depends on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from time import monotonic

import structlog

from backend.core.errors import UnavailableError
from backend.core.metrics import Gauge
from backend.core.values.queue import QueueState
from backend.core.values.status import Check
from backend.db.uow import UnitOfWork
from backend.ports.metrics import MetricsExporter
from backend.services.answering.pipeline import Answering

log = structlog.get_logger(__name__)

QUEUE_KEPT_SECONDS = 5.0
"""However often and by how many it is scraped, the queue is read once in that time."""
QUEUE_SECONDS = 3.0
SHARED_EVERY_SECONDS = 2.0
"""So old may be at most what another process of the same address tells of itself."""


class MetricsService:
    """Renders the measurements. Without an exporter there are none."""

    def __init__(
        self,
        uow: UnitOfWork,
        answering: Answering,
        exporter: MetricsExporter | None,
        *,
        version: str,
        check: Callable[[], Awaitable[Sequence[Check]]],
    ) -> None:
        self._uow = uow
        self._answering = answering
        self._exporter = exporter
        self._version = version
        self._check = check
        self._lock = asyncio.Lock()
        self._queue: QueueState | None = None
        self._read_at = -QUEUE_KEPT_SECONDS

    async def render(self) -> tuple[bytes, str] | None:
        """Return everything in the exporter's format, and its media type; ``None`` where nothing is measured.

        What cannot be looked at now, as the queue while PostgreSQL is down, is left out.
        """
        if self._exporter is None:
            return None
        checks, queue = await asyncio.gather(self._check(), self._queue_state())
        gauges = [
            Gauge("docent_build_info", "Always 1, with the version.", (((self._version,), 1),), ("version",)),
            *self._own(),
            Gauge(
                "docent_service_up",
                "Whether a service that the system depends on answers.",
                tuple(((found.name,), float(found.status == "up")) for found in checks),
                ("service",),
            ),
            *(_of_queue(queue) if queue is not None else ()),
        ]
        return self._exporter.render(gauges)

    @asynccontextmanager
    async def sharing(self) -> AsyncIterator[None]:
        """Within the block, let the other processes of the same address tell what is true of this one, too."""
        task = asyncio.create_task(self._share(), name="share-measurements")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _share(self) -> None:
        while self._exporter is not None:
            self._exporter.share(self._own())
            await asyncio.sleep(SHARED_EVERY_SECONDS)

    def _own(self) -> Sequence[Gauge]:
        size, used = self._uow.connections()
        return (
            Gauge(
                "docent_answers_running",
                "Answers that are being given by this process, or all of the same address.",
                (((), self._answering.turns.count),),
                own=True,
            ),
            Gauge(
                "docent_database_connections",
                "Connections of the pool of this process, or of all of the same address: its size, and those in use.",
                ((("size",), size), (("used",), used)),
                ("state",),
                own=True,
            ),
            Gauge(
                "docent_event_loop_tasks",
                "Tasks of the event loop of this process, or of all of the same address: connections, answers, clocks.",
                (((), len(asyncio.all_tasks())),),
                own=True,
            ),
        )

    async def _queue_state(self) -> QueueState | None:
        async with self._lock:
            if monotonic() - self._read_at >= QUEUE_KEPT_SECONDS:
                self._queue = await self._read()
                self._read_at = monotonic()
            return self._queue

    async def _read(self) -> QueueState | None:
        try:
            async with asyncio.timeout(QUEUE_SECONDS), self._uow.system() as tx:
                return await tx.queue.state()
        except (UnavailableError, TimeoutError) as error:
            log.warning("queue_not_measured", error=type(error).__name__)
            return None


def _of_queue(queue: QueueState) -> Sequence[Gauge]:
    states = ("waiting", "scheduled", "running", "failed")
    return (
        Gauge(
            "docent_queue_jobs",
            "Jobs of the queue by name and state, of all processes.",
            tuple(((depth.job, state), float(getattr(depth, state))) for depth in queue.depth for state in states),
            ("job", "state"),
        ),
        Gauge(
            "docent_queue_oldest_waiting_seconds",
            "For how long the oldest job could have begun; 0 if none waits.",
            (((), queue.oldest_waiting_seconds or 0.0),),
        ),
        Gauge(
            "docent_queue_takers",
            "Takers of jobs that are alive: two a worker.",
            (((), float(sum(w.alive for w in queue.workers))),),
        ),
    )
