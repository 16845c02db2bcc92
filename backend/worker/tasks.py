"""Job names and the service methods behind them."""

from uuid import UUID

import procrastinate

from backend.services.answering.attempts import QUEUE
from backend.services.registry import Services

# An attempt that a defect ended comes again; the documents count theirs, and the third one ends them.
RETRY = procrastinate.RetryStrategy(max_attempts=3, linear_wait=2)
LONGEST_WAIT_SECONDS = 600


class PatientRetry(procrastinate.BaseRetryStrategy):
    """What a dependency refused comes again, later and later, until it is done: what is to be deleted must not be forgotten."""

    def get_retry_decision(self, *, exception: BaseException, job: procrastinate.jobs.Job) -> procrastinate.RetryDecision:
        """Return when the job runs again."""
        return procrastinate.RetryDecision(retry_in={"seconds": min(2 ** min(job.attempts + 1, 12), LONGEST_WAIT_SECONDS)})


class SteadyRetry(procrastinate.BaseRetryStrategy):
    """What comes again until it is done, and is bounded by a count of its own: the queue's counts stops of the worker too."""

    def get_retry_decision(self, *, exception: BaseException, job: procrastinate.jobs.Job) -> procrastinate.RetryDecision:
        """Return when the job runs again."""
        return procrastinate.RetryDecision(retry_in={"seconds": 2})


PATIENT_RETRY = PatientRetry()
STEADY_RETRY = SteadyRetry()


def add_tasks(app: procrastinate.App, services: Services) -> None:
    """Register every job that a transaction may defer (``tx.jobs.defer``)."""
    _add_documents(app, services)
    _add_index(app, services)
    _add_accounts(app, services)
    _add_answers(app, services)


def _add_documents(app: procrastinate.App, services: Services) -> None:

    @app.task(name="index_document", retry=RETRY)
    async def index_document(owner_id: str, document_id: str) -> None:
        await services.documents.index(UUID(owner_id), UUID(document_id))

    @app.task(name="confirm_vectors", retry=RETRY)
    async def confirm_vectors(owner_id: str, document_id: str) -> None:
        await services.documents.confirm(UUID(owner_id), UUID(document_id))

    @app.task(name="tidy_document", retry=PATIENT_RETRY)
    async def tidy_document(owner_id: str, document_id: str) -> None:
        await services.documents.tidy(UUID(owner_id), UUID(document_id))

    @app.task(name="discard_file", retry=PATIENT_RETRY)
    async def discard_file(owner_id: str, blob_key: str) -> None:
        await services.documents.discard_file(UUID(owner_id), blob_key)

    @app.task(name="purge_document", retry=PATIENT_RETRY)
    async def purge_document(owner_id: str, document_id: str) -> None:
        await services.documents.purge(UUID(owner_id), UUID(document_id))

    @app.task(name="purge_file", retry=PATIENT_RETRY)
    async def purge_file(owner_id: str, document_id: str) -> None:
        await services.documents.purge_file(UUID(owner_id), UUID(document_id))


def _add_index(app: procrastinate.App, services: Services) -> None:
    @app.task(name="build_generation", retry=PATIENT_RETRY)
    async def build_generation(owner_id: str, generation_id: str) -> None:
        await services.reindexing.build_generation(UUID(owner_id), UUID(generation_id))

    @app.task(name="rebuild_collection", retry=PATIENT_RETRY)
    async def rebuild_collection(owner_id: str, generation_id: str) -> None:
        await services.reindexing.rebuild_collection(UUID(owner_id), UUID(generation_id))

    @app.task(name="drop_collection", retry=PATIENT_RETRY)
    async def drop_collection(collection: str) -> None:
        await services.reindexing.drop_collection(collection)


def _add_accounts(app: procrastinate.App, services: Services) -> None:
    @app.task(name="purge_account", retry=PATIENT_RETRY)
    async def purge_account(owner_id: str) -> None:
        await services.purger.purge(UUID(owner_id))

    @app.task(name="purge_account_files", retry=PATIENT_RETRY)
    async def purge_account_files(owner_id: str) -> None:
        await services.purger.purge_files(UUID(owner_id))


def _add_answers(app: procrastinate.App, services: Services) -> None:
    @app.task(name="answer_task", queue=QUEUE, retry=STEADY_RETRY)
    async def answer_task(owner_id: str, task_id: str) -> None:
        await services.tasks.answer(UUID(owner_id), UUID(task_id))
