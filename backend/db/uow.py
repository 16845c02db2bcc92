"""The unit of work: the only place that begins and commits transactions."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from time import perf_counter
from uuid import UUID

from sqlalchemy import QueuePool
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from backend.core.metrics import CONNECTION_WAIT
from backend.core.transactions import assert_no_transaction, transaction_open
from backend.db.beginning import give_scope
from backend.db.conflicts import translated
from backend.db.repositories.api_keys import ApiKeyRepository
from backend.db.repositories.audit import AuditRepository
from backend.db.repositories.calls import CallRepository
from backend.db.repositories.chunks import ChunkRepository
from backend.db.repositories.consistency import ConsistencyRepository
from backend.db.repositories.documents import DocumentRepository
from backend.db.repositories.generations import GenerationRepository
from backend.db.repositories.idempotency import IdempotencyRepository
from backend.db.repositories.jobs import JobRepository
from backend.db.repositories.leftovers import LeftoverRepository
from backend.db.repositories.lexicon import LexiconRepository
from backend.db.repositories.messages import MessageRepository
from backend.db.repositories.queue import QueueRepository
from backend.db.repositories.reset_links import ResetLinkRepository
from backend.db.repositories.sessions import SessionRepository
from backend.db.repositories.settings import SettingRepository
from backend.db.repositories.sign_ins import SignInRepository
from backend.db.repositories.stored import StoredRepository
from backend.db.repositories.tasks import TaskRepository
from backend.db.repositories.texts import TextRepository
from backend.db.repositories.tiers import TierRepository
from backend.db.repositories.usage import UsageRepository
from backend.db.repositories.users import UserRepository
from backend.db.repositories.vectors import VectorRepository


class Transaction:
    """An open transaction and the repositories that work in it."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.api_keys = ApiKeyRepository(connection)
        self.audit = AuditRepository(connection)
        self.idempotency = IdempotencyRepository(connection)
        self.leftovers = LeftoverRepository(connection)
        self.reset_links = ResetLinkRepository(connection)
        self.tiers = TierRepository(connection)
        self.usage = UsageRepository(connection)
        self.users = UserRepository(connection)
        self.sign_ins = SignInRepository(connection)
        self.sessions = SessionRepository(connection)
        self.messages = MessageRepository(connection)
        self.calls = CallRepository(connection)
        self.tasks = TaskRepository(connection)
        self.documents = DocumentRepository(connection)
        self.texts = TextRepository(connection)
        self.chunks = ChunkRepository(connection)
        self.vectors = VectorRepository(connection)
        self.lexicon = LexiconRepository(connection)
        self.generations = GenerationRepository(connection)
        self.settings = SettingRepository(connection)
        self.jobs = JobRepository(connection)
        self.queue = QueueRepository(connection)
        self.consistency = ConsistencyRepository(connection)
        self.stored = StoredRepository(connection)


class UnitOfWork:
    """Opens short transactions. Nothing outside the database may be called inside one: ``assert_no_transaction`` raises."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def of(self, owner_id: UUID) -> AsyncIterator[Transaction]:
        """Open a transaction that can see and write this owner's rows only. It commits unless the block raises.

        Raises:
            DatabaseUnavailableError: PostgreSQL is down or has no free connection.
        """
        async with self._open(str(owner_id), "owner") as transaction:
            yield transaction

    @asynccontextmanager
    async def system(self) -> AsyncIterator[Transaction]:
        """Open a transaction that can see all owners' rows: for signing in, for jobs and for administration only."""
        async with self._open("", "system") as transaction:
            yield transaction

    @asynccontextmanager
    async def _open(self, owner: str, mode: str) -> AsyncIterator[Transaction]:
        assert_no_transaction("opening a second transaction")
        token = transaction_open.set(True)
        begun = perf_counter()
        try:
            with translated():
                async with AsyncExitStack() as stack:
                    connection = await self._begin(stack, owner, mode, begun)
                    yield Transaction(connection)
        finally:
            transaction_open.reset(token)

    async def _begin(self, stack: AsyncExitStack, owner: str, mode: str, asked: float) -> AsyncConnection:
        """Begin on a connection of the pool; if the server has closed that meanwhile, on a new one."""
        for again in (True, False):
            async with AsyncExitStack() as attempt:
                connection = await attempt.enter_async_context(self._engine.connect())
                if again:
                    CONNECTION_WAIT.observe(perf_counter() - asked)
                give_scope(connection, owner, mode)
                try:
                    await attempt.enter_async_context(connection.begin())
                except DBAPIError as error:
                    if again and error.connection_invalidated:
                        continue  # The pool has noted that all that it had are as old.
                    raise
                stack.push_async_exit(attempt.pop_all())
                return connection
        raise AssertionError("unreachable")

    def connections(self) -> tuple[int, int]:
        """Return how many connections the pool may have, and how many are in use."""
        pool = self._engine.pool
        return (pool.size(), pool.checkedout()) if isinstance(pool, QueuePool) else (0, 0)

    async def aclose(self) -> None:
        """Close the pool."""
        await self._engine.dispose()
