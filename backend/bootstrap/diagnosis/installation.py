"""An installation, from its settings to the last server that it speaks to."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial

from backend.adapters.blob_stores.object_store import ObjectBlobStore
from backend.adapters.chat_models.ollama import find_ollama
from backend.adapters.probes.http import HttpProbe
from backend.adapters.servers.private_files import prepare_data_folder
from backend.bootstrap import chroma
from backend.bootstrap.diagnosis.database import examined_database
from backend.bootstrap.diagnosis.machine import examined_machine
from backend.bootstrap.limits import open_limiter
from backend.bootstrap.models import embedders, may_use_ollama
from backend.bootstrap.providers import chat_model, other_chat_models, provider_url
from backend.bootstrap.servers import Addresses, open_addresses, without_credentials
from backend.core.config import Settings
from backend.core.errors import DocentError
from backend.core.named_urls import named_urls
from backend.core.values.finding import Finding
from backend.db.engine import make_engine
from backend.db.uow import UnitOfWork
from backend.services.embedders import PREFERRED

Check = Callable[[], Awaitable[object]]

MENDS: Mapping[str, str] = {
    "Chroma": "Start it, or correct CHROMA_URL. Until then exact search answers from PostgreSQL.",
    "Files": "Correct BLOB_URL or its credentials, or make the folder writable.",
    "Redis": "Start it, or correct REDIS_URL. Until then each process counts the limits for itself.",
    "Language model": "Start it, or correct its address, its key or its name.",
    "Embedder": "Until then questions are answered by words alone, and new documents wait.",
}


async def examined(settings: Settings) -> AsyncIterator[Finding]:
    """Look at everything, beside a running Docent or alone; nothing is changed.

    What is embedded is started, where nobody runs it.
    """
    folders = {name: getattr(settings, name).expanduser().resolve() for name in ("data_dir", "onnx_models")}
    settings = settings.model_copy(update=folders)
    try:
        settings.check()
    except DocentError as error:
        yield Finding(
            "wrong", "Settings", error.message, "Correct it in the environment or in .env; docs/operations.md lists them."
        )
        return
    yield Finding("fine", "Settings", f"{settings.environment}")
    if settings.api_processes > 1 and settings.redis_url is None:
        sentence = f"Each of {settings.api_processes} API processes counts the limits in memory for itself."
        yield Finding("warning", "API processes", sentence, "Set REDIS_URL; answers are then resumed in any of them at once, too.")
    for finding in examined_machine(settings):
        yield finding
    try:
        async with open_addresses(settings, attach=True) as at:
            usable = False
            async for finding in examined_database(settings, at):
                usable = (finding.subject, finding.state) == ("Schema", "fine")
                yield finding
            async for finding in _examined_services(settings, at, usable=usable):
                yield finding
    except DocentError as error:
        yield Finding("wrong", "Servers", error.message, f"The logs of the embedded servers are in {settings.data_dir}/logs.")


async def _examined_services(settings: Settings, at: Addresses, *, usable: bool) -> AsyncIterator[Finding]:
    async with AsyncExitStack() as stack:
        index = chroma.vector_index(at.chroma_url)
        stack.push_async_callback(index.aclose)
        limiter = open_limiter(settings)
        stack.push_async_callback(limiter.aclose)
        files = without_credentials(settings.blob_url or "") or str(settings.data_dir / "files")
        checks: list[tuple[str, str, Check]] = [
            ("Files", files, _files(settings)),
            *(("Chroma", url, check) for url, check in chroma.servers(index, at.chroma_url)),
        ]
        if settings.redis_url is not None:
            checks.append(("Redis", without_credentials(settings.redis_url.get_secret_value()), limiter.check))
        for subject, where, check in checks:
            yield await _tried(subject, where, check)
        async for finding in _examined_chat_models(settings, stack):
            yield finding
        if usable:
            yield await _examined_embedder(settings, at, stack)
    probe = HttpProbe()
    try:
        own = named_urls("STATUS_SERVICES", settings.status_services.get_secret_value()) if settings.status_services else {}
        for name, url in own.items():
            yield await _tried(name, without_credentials(url), partial(probe.check, url))
    finally:
        await probe.aclose()


async def _examined_chat_models(settings: Settings, stack: AsyncExitStack) -> AsyncIterator[Finding]:
    found = await find_ollama(settings.ollama_url) if may_use_ollama(settings) else None
    first = chat_model(settings, found)
    for model in (first, *other_chat_models(settings, first)):
        stack.push_async_callback(model.aclose)
        named, url = " ".join(filter(None, (model.provider, model.default_model))), provider_url(settings, model.provider)
        yield await _tried("Language model", f"{named} at {url}" if url else named, model.check)
    if first.provider == "extractive" and settings.chat_provider == "auto":
        sentence = f"No Ollama answers at {without_credentials(settings.ollama_url)}: answers only quote."
        yield Finding("warning", "Language model", sentence, "Start Ollama and restart Docent, or set CHAT_PROVIDER.")


async def _examined_embedder(settings: Settings, at: Addresses, stack: AsyncExitStack) -> Finding:
    engine = make_engine(at.session_url, pool_size=1)
    stack.push_async_callback(engine.dispose)
    available = embedders(settings)
    stack.push_async_callback(available.aclose)
    async with UnitOfWork(engine).system() as tx:
        identity = await tx.settings.get(PREFERRED)
    if identity is None:
        return Finding("fine", "Embedder", "none was chosen yet")
    return await _tried("Embedder", str(identity), lambda: available.named(str(identity)).dimensions())


def _files(settings: Settings) -> Check:
    async def check() -> None:
        await ObjectBlobStore.at(settings.blob_url or prepare_data_folder(settings.data_dir) / "files").check()

    return check


async def _tried(subject: str, where: str, check: Check) -> Finding:
    try:
        await check()
    except DocentError as error:
        return Finding("wrong", subject, f"{where}: {error.message}", MENDS.get(subject, "Start it, or correct its address."))
    return Finding("fine", subject, where)
