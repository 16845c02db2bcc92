"""From parts to services."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version

from backend.adapters.servers.private_files import prepare_data_folder, write_private
from backend.bootstrap.servers import Addresses
from backend.bootstrap.status import status_service
from backend.core.config import Settings
from backend.core.security import AccessTokens, PasswordHasher
from backend.db.uow import UnitOfWork
from backend.ports.blob_store import BlobStore
from backend.ports.document_parser import DocumentParser
from backend.ports.language_detector import LanguageDetector
from backend.ports.limiter import Limiter
from backend.ports.metrics import MetricsExporter
from backend.ports.relay import Relay
from backend.ports.sql_parser import SqlParser
from backend.ports.vector_index import VectorIndex
from backend.services.accounts.administration import AdministrationService
from backend.services.accounts.credentials import AccountService
from backend.services.accounts.exporting.exporter import AccountExporter
from backend.services.accounts.profile import ProfileService
from backend.services.accounts.purging import AccountPurger
from backend.services.answering.pipeline import Answering
from backend.services.answering.running import RunningTurns
from backend.services.answering.titling import Titler
from backend.services.assist import AssistService
from backend.services.audit import AuditService
from backend.services.calls import CallService
from backend.services.catalog import CatalogService
from backend.services.chat import ChatService
from backend.services.consistency.service import ConsistencyService
from backend.services.documents.library import DocumentService
from backend.services.embedders import Embedders
from backend.services.evaluation import EvaluationService
from backend.services.gateway.service import GatewayService
from backend.services.generating.service import Generating
from backend.services.idempotency import IdempotencyService
from backend.services.indexing.generations import GenerationBuilder
from backend.services.indexing.pipeline import IndexingPipeline
from backend.services.indexing.purging import Purger
from backend.services.keys import KeyService
from backend.services.maintenance import MaintenanceService
from backend.services.metrics import MetricsService
from backend.services.providers import Providers
from backend.services.queue import QueueService
from backend.services.quotas import Quotas
from backend.services.registry import Services
from backend.services.reindexing import ReindexService
from backend.services.retrieval import Deadlines, Retriever
from backend.services.search import SearchService
from backend.services.sessions import SessionService
from backend.services.streams import StreamService
from backend.services.suggestions import SuggestionService
from backend.services.tasks import TaskService
from backend.services.throttling import ThrottleService
from backend.services.tiers import TierService
from backend.services.usage import UsageService


@dataclass(frozen=True, slots=True)
class Parts:
    """What the services are made of."""

    uow: UnitOfWork
    blobs: BlobStore
    parser: DocumentParser
    index: VectorIndex
    chat_model: Providers
    embedders: Embedders
    passwords: PasswordHasher
    limiter: Limiter
    languages: LanguageDetector
    sql: SqlParser
    relay: Relay | None = None
    exporter: MetricsExporter | None = None


def put_together(settings: Settings, at: Addresses, parts: Parts) -> Services:
    """Make all services of these parts."""
    uow, blobs, index, model = parts.uow, parts.blobs, parts.index, parts.chat_model
    tokens = AccessTokens(_secret_key(settings), lifetime=timedelta(minutes=settings.access_token_expire_minutes))
    quotas = Quotas(model, enabled=settings.limits_enabled)
    pipeline = IndexingPipeline(uow, blobs, parts.parser, parts.embedders, index, languages=parts.languages)
    builder = GenerationBuilder(uow, index, parts.embedders, pipeline)
    deadlines = Deadlines(settings.search_dense_seconds, settings.search_lexical_seconds)
    retriever = Retriever(uow, index, parts.embedders, deadlines=deadlines, exact_chunks=settings.search_exact_chunks)
    turns = RunningTurns(parts.relay)
    titler = Titler(uow, model, enabled=settings.chat_titles == "auto")
    answering = Answering(
        uow,
        retriever,
        model,
        quotas,
        titler,
        max_tokens=settings.chat_max_tokens,
        turns=turns,
        grace_seconds=settings.stream_grace_seconds,
    )
    generating = Generating(uow, model, quotas, max_tokens=settings.chat_max_tokens)
    catalog = CatalogService(uow, model)
    status = status_service(settings, at, uow=uow, blobs=blobs, index=index, models=model, limiter=parts.limiter)
    return Services(
        accounts=AccountService(
            uow,
            parts.passwords,
            tokens,
            registration_open=settings.registration_open,
            sign_in_lifetime=timedelta(days=settings.refresh_token_expire_days),
        ),
        administration=AdministrationService(uow, parts.passwords),
        answering=answering,
        assist=AssistService(generating, parts.sql),
        audit=AuditService(uow),
        calls=CallService(uow),
        catalog=catalog,
        chat=ChatService(uow, answering, quotas),
        consistency=ConsistencyService(
            uow,
            blobs,
            index,
            parts.embedders,
            builder=builder,
            pipeline=pipeline,
            sole=settings.chroma_url is None,
        ),
        documents=DocumentService(uow, blobs, parts.parser, pipeline, Purger(uow, blobs, index), quotas=quotas),
        evaluation=EvaluationService(uow, retriever),
        exporter=AccountExporter(uow, blobs),
        gateway=GatewayService(
            uow,
            answering,
            generating,
            quotas,
            parts.embedders,
            providers=model,
            list_models=catalog.catalog,
        ),
        generating=generating,
        idempotency=IdempotencyService(uow),
        keys=KeyService(uow),
        maintenance=MaintenanceService(uow),
        metrics=MetricsService(uow, answering, parts.exporter, version=version("docent"), check=status.needed),
        profile=ProfileService(uow, parts.passwords),
        purger=AccountPurger(uow, blobs, index),
        queue=QueueService(uow),
        reindexing=ReindexService(uow, index, parts.embedders, builder),
        search=SearchService(uow, retriever),
        sessions=SessionService(uow, answering),
        status=status,
        streams=StreamService(uow, turns, parts.relay, grace_seconds=settings.stream_grace_seconds),
        suggestions=SuggestionService(uow),
        tiers=TierService(uow),
        tasks=TaskService(uow, answering, quotas),
        titler=titler,
        throttle=ThrottleService(parts.limiter, enabled=settings.limits_enabled),
        usage=UsageService(uow, parts.limiter, quotas, enabled=settings.limits_enabled),
    )


def _secret_key(settings: Settings) -> str:
    """Return SECRET_KEY, or the key that was made for this data folder at its first start."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    path = settings.data_dir / "secret_key"
    if not path.exists():
        prepare_data_folder(settings.data_dir)
        # Whole, or not there: a crash between making and writing the file would leave an empty key, which anybody can guess.
        write_private(path, secrets.token_urlsafe(48))
    return path.read_text(encoding="utf-8").strip()
