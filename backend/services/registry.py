"""All services of a process."""

import asyncio
from dataclasses import dataclass

from backend.services.accounts.administration import AdministrationService
from backend.services.accounts.credentials import AccountService
from backend.services.accounts.exporting.exporter import AccountExporter
from backend.services.accounts.profile import ProfileService
from backend.services.accounts.purging import AccountPurger
from backend.services.answering.pipeline import Answering
from backend.services.answering.titling import Titler
from backend.services.assist import AssistService
from backend.services.audit import AuditService
from backend.services.calls import CallService
from backend.services.catalog import CatalogService
from backend.services.chat import ChatService
from backend.services.consistency.service import ConsistencyService
from backend.services.documents.library import DocumentService
from backend.services.evaluation import EvaluationService
from backend.services.gateway.service import GatewayService
from backend.services.generating.service import Generating
from backend.services.idempotency import IdempotencyService
from backend.services.keys import KeyService
from backend.services.maintenance import MaintenanceService
from backend.services.metrics import MetricsService
from backend.services.queue import QueueService
from backend.services.reindexing import ReindexService
from backend.services.search import SearchService
from backend.services.sessions import SessionService
from backend.services.status import StatusService
from backend.services.streams import StreamService
from backend.services.suggestions import SuggestionService
from backend.services.tasks import TaskService
from backend.services.throttling import ThrottleService
from backend.services.tiers import TierService
from backend.services.usage import UsageService


@dataclass(frozen=True, slots=True)
class Services:
    """What routes, jobs and commands call. ``answering``, ``generating`` and ``titler`` are here for shutdown only."""

    accounts: AccountService
    administration: AdministrationService
    answering: Answering
    assist: AssistService
    audit: AuditService
    calls: CallService
    catalog: CatalogService
    chat: ChatService
    consistency: ConsistencyService
    documents: DocumentService
    evaluation: EvaluationService
    exporter: AccountExporter
    gateway: GatewayService
    generating: Generating
    idempotency: IdempotencyService
    keys: KeyService
    maintenance: MaintenanceService
    metrics: MetricsService
    profile: ProfileService
    purger: AccountPurger
    queue: QueueService
    reindexing: ReindexService
    search: SearchService
    sessions: SessionService
    status: StatusService
    streams: StreamService
    suggestions: SuggestionService
    tasks: TaskService
    throttle: ThrottleService
    tiers: TierService
    titler: Titler
    usage: UsageService

    async def drain(self, grace_seconds: float) -> None:
        """Give all that is being written so long to finish, together, then end it; return when it is stored and noted."""
        await asyncio.gather(self.answering.drain(grace_seconds), self.generating.drain(grace_seconds))
