"""What all tests share: one PostgreSQL, one Chroma, and the services on a database of their own."""

import gc
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import structlog

from backend.bootstrap.application import Application, Replacements, open_application
from backend.services.registry import Services
from tests.support.cluster import Cluster, Database, open_cluster
from tests.support.leaks import leaks

LONG_FILES = (
    "e2e/test_manual.py",
    "faults/test_injected_faults.py",
    "security/fuzzing/test_whole_api.py",
    "security/fuzzing/test_classes.py",
    "documents/http/test_quotes.py",
    "services/test_consistency/test_kinds.py",
    "ui/test_no_traceback.py",
    "ui/test_journey.py",
    "e2e/test_commands.py",
    "faults/test_background_kills.py",
    "faults/test_lifecycle.py",
    "faults/test_processes.py",
    "faults/test_failpoints.py",
    "faults/test_random_kills.py",
    "faults/test_kills.py",
    "security/isolation/test_matrix.py",
    "e2e/test_check.py",
    "e2e/test_backups.py",
    "services/test_consistency/test_beside_work.py",
    "api/test_limits.py",
)
"""They begin first, so that no worker is left alone with one of them at the end."""

# What is imported and collected stays until the end: looking through it for garbage again and again took a third of the time that
# each process of a run needs to begin, and some of each test's.
gc.disable()

# As the product does it. What the library would do by itself prints the local variables of every frame, passwords among them.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)

ApplicationFactory = Callable[..., AbstractAsyncContextManager[Application]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take minutes before the others."""
    places = {Path(__file__).parent / name: place for place, name in enumerate(LONG_FILES)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


def pytest_collection_finish() -> None:
    """Look for garbage from here on, and only in what the tests make."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a test fail whose process said what is nobody's business, its logs among that."""
    report = yield
    if report.passed and (found := leaks("\n".join(text for _, text in report.sections))):
        report.outcome = "failed"
        report.longrepr = "its output holds a secret, which in the product's log would be public:\n" + "\n".join(found)
    return report


@pytest.fixture(scope="session")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    """The servers of this run."""
    async with open_cluster(tmp_path_factory.mktemp("cluster")) as servers:
        yield servers


@pytest.fixture(scope="session")
async def shared_database(cluster: Cluster) -> AsyncIterator[Database]:
    """A database for tests that keep to their own users."""
    async with cluster.database() as database:
        yield database


@pytest.fixture
async def database(cluster: Cluster) -> AsyncIterator[Database]:
    """A database for one test alone."""
    async with cluster.database() as fresh:
        yield fresh


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of the shared services."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="session")
async def services(cluster: Cluster, shared_database: Database, folder: Path) -> AsyncIterator[Services]:
    """The services as the product builds them, on the shared database, with the extractive answerer and the hashing embedder."""
    async with open_application(cluster.settings(shared_database, folder)) as application:
        yield application.services


@pytest.fixture
def application(cluster: Cluster, database: Database, tmp_path: Path) -> ApplicationFactory:
    """Open the product on a database of this test's own: ``async with application(chat_model=..., settings={...}) as app``."""

    @asynccontextmanager
    async def opened(*, settings: dict[str, object] | None = None, **parts: object) -> AsyncIterator[Application]:
        chosen = cluster.settings(database, tmp_path, **(settings or {}))
        async with open_application(chosen, replacing=Replacements(**parts)) as running:  # type: ignore[arg-type] # checked by its fields
            yield running

    return opened


async def registered(services: Services, name: str) -> UUID:
    """Open an account under a name that nobody else has."""
    unique = f"{name}-{uuid4().hex[:12]}"
    user = await services.accounts.register(
        username=unique, email=f"{unique}@example.com", password="correct horse", full_name=None
    )
    return user.id


@pytest.fixture
async def alice(services: Services) -> UUID:
    """A user of the shared services."""
    return await registered(services, "alice")


@pytest.fixture
async def bob(services: Services) -> UUID:
    """Another user of the shared services."""
    return await registered(services, "bob")
