"""From settings to services: the only file that names concrete adapters."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog

from backend.adapters.blob_stores.object_store import ObjectBlobStore
from backend.adapters.chat_models.ollama import find_ollama
from backend.adapters.document_parsers.sandbox import SandboxedDocumentParser
from backend.adapters.language_detectors.langid import LangidLanguageDetector
from backend.adapters.servers.private_files import prepare_data_folder
from backend.adapters.sql_parsers.sqlglot import SqlglotParser
from backend.bootstrap.chroma import vector_index
from backend.bootstrap.index import watch_index
from backend.bootstrap.limits import open_limiter
from backend.bootstrap.models import choose_embedder, embedders, may_use_ollama
from backend.bootstrap.providers import chat_line, chat_model, fallback_id, other_chat_models
from backend.bootstrap.relays import open_relay
from backend.bootstrap.servers import Addresses, open_addresses
from backend.bootstrap.wiring import Parts, put_together
from backend.core.config import Settings, plain_url
from backend.core.errors import ConfigurationError, DocentError
from backend.core.failpoints import arm
from backend.core.security import PasswordHasher
from backend.db.engine import make_engine
from backend.db.listening import AnswerListener
from backend.db.migrations import assert_current, migrate
from backend.db.uow import UnitOfWork
from backend.db.walls import assert_walls
from backend.ports.blob_store import BlobStore
from backend.ports.chat_model import ChatModel
from backend.ports.document_parser import DocumentParser
from backend.ports.embedder import Embedder
from backend.ports.metrics import MetricsExporter
from backend.ports.vector_index import VectorIndex
from backend.services.providers import Providers
from backend.services.registry import Services
from backend.worker.app import Worker

SWEEPING = "sweep the files"
"""The task that removes half-written files beside a process that has started."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Application:
    """A running product: its services, and what there is to say about how it runs. Worker and listener do not work yet."""

    services: Services
    worker: Worker
    listener: AnswerListener
    exclusive: bool
    chat: str
    embedder: str


@dataclass(frozen=True, slots=True)
class Replacements:
    """Parts to use instead of those that the settings name: for tests, demonstrations and programs that embed the product."""

    blobs: BlobStore | None = None
    chat_model: ChatModel | None = None
    other_chat_models: tuple[ChatModel, ...] = ()
    fallback_model: str | None = None
    embedder: Embedder | None = None
    other_embedders: tuple[Embedder, ...] = ()
    index: VectorIndex | None = None
    parser: DocumentParser | None = None


NOTHING_REPLACED = Replacements()


@asynccontextmanager
async def open_application(
    settings: Settings,
    *,
    attach: bool = False,
    migrates: bool = True,
    replacing: Replacements = NOTHING_REPLACED,
    exporter: MetricsExporter | None = None,
) -> AsyncIterator[Application]:
    """Start what is embedded, migrate, and put the services together. The ``exporter`` is what their measurements are read from.

    Without ``migrates`` the database has to be up to date: another process has seen to it.

    Raises:
        ConfigurationError: A setting is missing or unsafe; the message says what to do.
        UnavailableError: PostgreSQL or the blob store does not answer.
    """
    settings.check()
    try:
        arm(settings.failpoints)
    except ValueError as error:
        raise ConfigurationError(f"FAILPOINTS: {error}") from error
    # The same folders for all of us, whatever is written: `~`, or a path relative to a folder that somebody leaves.
    folders = {name: getattr(settings, name).expanduser().resolve() for name in ("data_dir", "onnx_models")}
    settings = settings.model_copy(update=folders)
    async with AsyncExitStack() as stack:
        found = await find_ollama(settings.ollama_url) if may_use_ollama(settings) else None
        at = await stack.enter_async_context(open_addresses(settings, attach=attach))
        await _bring_up_to_date(settings, at, migrates=migrates)
        engine = make_engine(at.app_url, pool_size=settings.database_pool_size, pooled=at.pooled)
        uow = UnitOfWork(engine)
        stack.push_async_callback(uow.aclose)
        await assert_walls(engine)
        blobs = replacing.blobs or await _open_blobs(stack, settings, at, attach=attach)
        index = replacing.index or vector_index(at.chroma_url)
        stack.push_async_callback(index.aclose)
        model = _providers(settings, replacing, found)
        stack.push_async_callback(model.aclose)
        given = tuple(filter(None, (replacing.embedder, *replacing.other_embedders)))
        available = embedders(settings, given)
        stack.push_async_callback(available.aclose)
        wanted = replacing.embedder.identity if replacing.embedder else None
        identity = await choose_embedder(settings, uow, available, wanted=wanted, found=found)
        passwords = PasswordHasher()
        stack.callback(passwords.close)
        parser = replacing.parser or SandboxedDocumentParser(
            memory_bytes=settings.parser_memory_bytes,
            timeout_seconds=settings.parser_timeout_seconds,
            concurrency=settings.worker_concurrency,
        )
        limiter = open_limiter(settings)
        stack.push_async_callback(limiter.aclose)
        relay = open_relay(settings)
        if relay is not None:
            stack.push_async_callback(relay.aclose)
        sql = SqlglotParser()
        stack.callback(sql.close)
        parts = Parts(
            uow, blobs, parser, index, model, available, passwords, limiter, LangidLanguageDetector(), sql, relay, exporter
        )
        services = put_together(settings, at, parts)
        stack.push_async_callback(services.titler.aclose)
        stack.push_async_callback(services.status.aclose)
        stack.push_async_callback(_end, asyncio.create_task(watch_index(index, services, at.chroma_store)))
        stack.push_async_callback(_end, asyncio.create_task(services.streams.renew_for_ever()))
        if at.exclusive:
            await services.maintenance.end_abandoned_answers(all_of_them=True)
            await services.idempotency.forget_running()
        worker = Worker(
            plain_url(at.session_url),
            services,
            concurrency=settings.worker_concurrency,
            grace_seconds=settings.shutdown_grace_seconds,
        )
        streams = services.streams
        listener = AnswerListener(at.session_url, obey=streams.obey, keep=streams.keep, cancel=services.calls.obey)
        yield Application(services, worker, listener, at.exclusive, chat_line(settings, model, found), identity)


def _providers(settings: Settings, replacing: Replacements, found: str | None) -> Providers:
    """Return those that the settings name; beside one that is given, only others that are given too."""
    if replacing.chat_model is not None:
        return Providers(replacing.chat_model, replacing.other_chat_models, fallback=replacing.fallback_model)
    first = chat_model(settings, found)
    others = (*other_chat_models(settings, first), *replacing.other_chat_models)
    return Providers(first, others, fallback=replacing.fallback_model or fallback_id(settings))


async def migrate_database(settings: Settings) -> bool:
    """Start or find the database and migrate it; return whether it changed.

    Raises:
        ConfigurationError: A newer release has written it.
        UnavailableError: PostgreSQL does not answer.
    """
    async with open_addresses(settings.model_copy(update={"chroma_url": settings.chroma_url or "-"}), attach=True) as at:
        return await migrate(at.owner_url)


async def _open_blobs(stack: AsyncExitStack, settings: Settings, at: Addresses, *, attach: bool) -> ObjectBlobStore:
    # The data folder is ours alone, whoever makes it first.
    blobs = ObjectBlobStore.at(settings.blob_url or prepare_data_folder(settings.data_dir) / "files")
    if at.exclusive:
        # What a killed process left half written is nobody's but ours.
        await blobs.sweep(older_than_seconds=0)
    elif not attach:
        # Beside other processes only what nobody has written to for long. It looks at every file, so nobody waits for it.
        stack.push_async_callback(_end, asyncio.create_task(_sweep(blobs), name=SWEEPING))
    return blobs


async def _sweep(blobs: ObjectBlobStore) -> None:
    try:
        await blobs.sweep()
    except DocentError as error:
        log.warning("files_not_swept", error=type(error).__name__)


async def _bring_up_to_date(settings: Settings, at: Addresses, *, migrates: bool) -> None:
    """Migrate, except where production runs on a database of its own: there `docent migrate` does, once, before a roll-out."""
    if not migrates or (settings.production and settings.database_url is not None):
        await assert_current(at.session_url)
    elif await migrate(at.owner_url):
        log.info("database_migrated")


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
