"""The services, as routes ask for them."""

from typing import Annotated

from fastapi import Depends, Request

from backend.services.accounts.administration import AdministrationService
from backend.services.accounts.credentials import AccountService
from backend.services.accounts.exporting.exporter import AccountExporter
from backend.services.accounts.profile import ProfileService
from backend.services.assist import AssistService
from backend.services.audit import AuditService
from backend.services.catalog import CatalogService
from backend.services.chat import ChatService
from backend.services.documents.library import DocumentService
from backend.services.gateway.service import GatewayService
from backend.services.keys import KeyService
from backend.services.metrics import MetricsService
from backend.services.queue import QueueService
from backend.services.registry import Services
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


async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


AllServices = Annotated[Services, Depends(_services)]


async def _accounts(services: AllServices) -> AccountService:
    return services.accounts


async def _catalog(services: AllServices) -> CatalogService:
    return services.catalog


async def _assist(services: AllServices) -> AssistService:
    return services.assist


async def _metrics(services: AllServices) -> MetricsService:
    return services.metrics


async def _chat(services: AllServices) -> ChatService:
    return services.chat


async def _documents(services: AllServices) -> DocumentService:
    return services.documents


async def _search(services: AllServices) -> SearchService:
    return services.search


async def _sessions(services: AllServices) -> SessionService:
    return services.sessions


async def _status(services: AllServices) -> StatusService:
    return services.status


async def _streams(services: AllServices) -> StreamService:
    return services.streams


async def _suggestions(services: AllServices) -> SuggestionService:
    return services.suggestions


async def _administration(services: AllServices) -> AdministrationService:
    return services.administration


async def _reindexing(services: AllServices) -> ReindexService:
    return services.reindexing


async def _audit(services: AllServices) -> AuditService:
    return services.audit


async def _keys(services: AllServices) -> KeyService:
    return services.keys


async def _throttle(services: AllServices) -> ThrottleService:
    return services.throttle


async def _tiers(services: AllServices) -> TierService:
    return services.tiers


async def _usage(services: AllServices) -> UsageService:
    return services.usage


async def _gateway(services: AllServices) -> GatewayService:
    return services.gateway


async def _exporter(services: AllServices) -> AccountExporter:
    return services.exporter


async def _profile(services: AllServices) -> ProfileService:
    return services.profile


async def _queue(services: AllServices) -> QueueService:
    return services.queue


async def _tasks(services: AllServices) -> TaskService:
    return services.tasks


Accounts = Annotated[AccountService, Depends(_accounts)]
Administration = Annotated[AdministrationService, Depends(_administration)]
Assist = Annotated[AssistService, Depends(_assist)]
Audit = Annotated[AuditService, Depends(_audit)]
Reindexing = Annotated[ReindexService, Depends(_reindexing)]
Catalog = Annotated[CatalogService, Depends(_catalog)]
Chat = Annotated[ChatService, Depends(_chat)]
Documents = Annotated[DocumentService, Depends(_documents)]
Exporter = Annotated[AccountExporter, Depends(_exporter)]
Gateway = Annotated[GatewayService, Depends(_gateway)]
Keys = Annotated[KeyService, Depends(_keys)]
Queue = Annotated[QueueService, Depends(_queue)]
Suggestions = Annotated[SuggestionService, Depends(_suggestions)]
Tasks = Annotated[TaskService, Depends(_tasks)]
Metrics = Annotated[MetricsService, Depends(_metrics)]
Profile = Annotated[ProfileService, Depends(_profile)]
Search = Annotated[SearchService, Depends(_search)]
Sessions = Annotated[SessionService, Depends(_sessions)]
Status = Annotated[StatusService, Depends(_status)]
Streams = Annotated[StreamService, Depends(_streams)]
Throttle = Annotated[ThrottleService, Depends(_throttle)]
Tiers = Annotated[TierService, Depends(_tiers)]
Usage = Annotated[UsageService, Depends(_usage)]
