"""From settings to services: the only file that names concrete adapters."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog

from backend.adapters.blob_stores.object_store import ObjectBlobStore
from backend.adapters.chat_models.ollama import find_ollama
from backend.adapters.document_parsers.sandbox import SandboxedDocumentParser
from backend.adapters.servers.private_files import prepare_data_folder, write_private
from backend.adapters.vector_indexes.chroma import ChromaVectorIndex
from backend.bootstrap.limits import open_limiter
from backend.bootstrap.models import chat_line, chat_model, choose_embedder, may_use_ollama
from backend.bootstrap.servers import Addresses, open_addresses, without_credentials
from backend.core.config import Settings, plain_url
from backend.core.errors import UnavailableError
from backend.core.security import AccessTokens, PasswordHasher
from backend.db.engine import make_engine
from backend.db.migrations import assert_current, migrate
from backend.db.uow import UnitOfWork
from backend.db.walls import assert_walls
from backend.ports.blob_store import BlobStore
from backend.ports.chat_model import ChatModel
from backend.ports.document_parser import DocumentParser
from backend.ports.embedder import Embedder
from backend.ports.limiter import Limiter
from backend.ports.vector_index import VectorIndex
from backend.services.accounts.administration import AdministrationService
from backend.services.accounts.credentials import AccountService
from backend.services.accounts.exporting.exporter import AccountExporter
from backend.services.accounts.profile import ProfileService
from backend.services.accounts.purging import AccountPurger
from backend.services.answering.pipeline import Answering
from backend.services.audit import AuditService
from backend.services.chat import ChatService
from backend.services.documents import DocumentService
from backend.services.idempotency import IdempotencyService
from backend.services.indexing.indexer import Indexer
from backend.services.indexing.pipeline import IndexingPipeline
from backend.services.keys import KeyService
from backend.services.maintenance import MaintenanceService
from backend.services.quotas import Quotas
from backend.services.registry import Services
from backend.services.retrieval import Retriever
from backend.services.sessions import SessionService
from backend.services.throttling import ThrottleService
from backend.services.usage import UsageService
from backend.worker.app import Worker

log = structlog.get_logger(__name__)

LANGUAGE = "english"
"""PostgreSQL's text search configuration of the lexical leg."""


@dataclass(frozen=True, slots=True)
class Application:
    """A running product: its services, and what there is to say about how it runs. The worker does not work yet."""

    services: Services
    worker: Worker
    exclusive: bool
    chat: str
    embedder: str


@dataclass(frozen=True, slots=True)
class Replacements:
    """Parts to use instead of those that the settings name: for tests, demonstrations and programs that embed the product."""

    blobs: BlobStore | None = None
    chat_model: ChatModel | None = None
    embedder: Embedder | None = None
    index: VectorIndex | None = None
    parser: DocumentParser | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """What the services are made of."""

    uow: UnitOfWork
    blobs: BlobStore
    parser: DocumentParser
    index: VectorIndex
    chat_model: ChatModel
    embedder: Embedder
    passwords: PasswordHasher
    limiter: Limiter


NOTHING_REPLACED = Replacements()


@asynccontextmanager
async def open_application(
    settings: Settings, *, attach: bool = False, replacing: Replacements = NOTHING_REPLACED
) -> AsyncIterator[Application]:
    """Start what is embedded, migrate, and put the services together.

    Raises:
        ConfigurationError: A setting is missing or unsafe; the message says what to do.
        UnavailableError: PostgreSQL or the blob store does not answer.
    """
    settings.check()
    # One folder for all of us, whatever is written: `~`, or a path relative to a folder that somebody leaves.
    settings = settings.model_copy(update={"data_dir": settings.data_dir.expanduser().resolve()})
    async with AsyncExitStack() as stack:
        found = await find_ollama(settings.ollama_url) if may_use_ollama(settings) else None
        at = await stack.enter_async_context(open_addresses(settings, attach=attach))
        await _bring_up_to_date(settings, at)
        engine = make_engine(at.app_url, pool_size=settings.database_pool_size)
        uow = UnitOfWork(engine)
        stack.push_async_callback(uow.aclose)
        await assert_walls(engine)
        blobs = replacing.blobs or await _open_blobs(settings, at)
        index = replacing.index or ChromaVectorIndex(at.chroma_url)
        stack.push_async_callback(index.aclose)
        stack.push_async_callback(_end, asyncio.create_task(_warm_up(index)))
        model = replacing.chat_model or chat_model(settings, found)
        stack.push_async_callback(model.aclose)
        embedder = replacing.embedder or await choose_embedder(settings, uow, found)
        stack.push_async_callback(embedder.aclose)
        passwords = PasswordHasher()
        stack.callback(passwords.close)
        parser = replacing.parser or SandboxedDocumentParser(
            memory_bytes=settings.parser_memory_bytes,
            timeout_seconds=settings.parser_timeout_seconds,
            concurrency=settings.worker_concurrency,
        )
        limiter = open_limiter(settings)
        stack.push_async_callback(limiter.aclose)
        parts = Parts(uow, blobs, parser, index, model, embedder, passwords, limiter)
        services = _services(settings, at, parts)
        if at.exclusive:
            await services.maintenance.end_abandoned_answers(all_of_them=True)
            await services.idempotency.forget_running()
        worker = Worker(
            plain_url(at.app_url),
            services,
            concurrency=settings.worker_concurrency,
            grace_seconds=settings.shutdown_grace_seconds,
        )
        yield Application(services, worker, at.exclusive, chat_line(settings, model, found), embedder.identity)


async def migrate_database(settings: Settings) -> bool:
    """Start or find the database and migrate it; return whether it changed.

    Raises:
        ConfigurationError: A newer release has written it.
        UnavailableError: PostgreSQL does not answer.
    """
    async with open_addresses(settings.model_copy(update={"chroma_url": settings.chroma_url or "-"}), attach=True) as at:
        return await migrate(at.owner_url)


async def _open_blobs(settings: Settings, at: Addresses) -> ObjectBlobStore:
    # The data folder is ours alone, whoever makes it first.
    blobs = ObjectBlobStore.at(settings.blob_url or prepare_data_folder(settings.data_dir) / "files")
    if at.exclusive:
        # What a killed process left half written is nobody's but ours.
        await blobs.sweep(older_than_seconds=0)
    return blobs


async def _bring_up_to_date(settings: Settings, at: Addresses) -> None:
    """Migrate, except where production runs on a database of its own: there `docent migrate` does, once, before a roll-out."""
    if settings.production and settings.database_url is not None:
        await assert_current(at.app_url)
    elif await migrate(at.owner_url):
        log.info("database_migrated")


def _services(settings: Settings, at: Addresses, parts: Parts) -> Services:
    uow, blobs, index, model, embedder = parts.uow, parts.blobs, parts.index, parts.chat_model, parts.embedder
    tokens = AccessTokens(_secret_key(settings), lifetime=timedelta(minutes=settings.access_token_expire_minutes))
    quotas = Quotas(enabled=settings.limits_enabled)
    pipeline = IndexingPipeline(uow, blobs, parts.parser, embedder, index, language=LANGUAGE)
    answering = Answering(
        uow, Retriever(uow, index, embedder, language=LANGUAGE), model, quotas, max_tokens=settings.chat_max_tokens
    )
    checks: dict[str, tuple[str, Callable[[], Awaitable[None]]]] = {
        "blobs": (without_credentials(settings.blob_url or ""), blobs.check),
        "chroma": (without_credentials(at.chroma_url), index.check),
        "chat_model": (settings.ollama_url if model.provider == "ollama" else "", model.check),
    }
    if settings.redis_url is not None:
        checks["redis"] = (without_credentials(settings.redis_url.get_secret_value()), parts.limiter.check)
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
        audit=AuditService(uow),
        chat=ChatService(uow, answering, quotas, default_model=model.default_model),
        documents=DocumentService(uow, blobs, parts.parser, index, Indexer(uow, index, pipeline), quotas=quotas),
        exporter=AccountExporter(uow, blobs),
        idempotency=IdempotencyService(uow),
        keys=KeyService(uow),
        maintenance=MaintenanceService(uow, checks),
        profile=ProfileService(uow, parts.passwords),
        purger=AccountPurger(uow, blobs, index),
        sessions=SessionService(uow),
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


async def _warm_up(index: VectorIndex) -> None:
    """Import the client and wait for the server beside everything else; until then exact search answers."""
    for _ in range(60):
        try:
            return await index.check()
        except UnavailableError:
            await asyncio.sleep(0.25)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
