"""Jobs go on with the request that they come from, and older ones that know nothing of it run as they did."""

import structlog
from structlog.testing import capture_logs
from structlog.typing import EventDict

from tests.conftest import ApplicationFactory, registered
from tests.support.cluster import Database
from tests.support.files import a_file
from tests.support.parts import PlainTextParser
from tests.worker.watching import settled, soon, sql

ARGUMENTS = "select args from procrastinate_jobs where task_name = 'index_document'"


def of(lines: list[EventDict], event: str) -> EventDict:
    [line] = [line for line in lines if line["event"] == event]
    return line


async def test_a_job_and_what_it_defers_have_the_id_of_their_request_and_say_what_they_concern(
    application: ApplicationFactory, database: Database
) -> None:
    async with application(parser=PlainTextParser()) as app, sql(database.owner_url) as db:
        alice = await registered(app.services, "alice")
        with structlog.contextvars.bound_contextvars(request_id="request-of-alice"):
            document = await app.services.documents.upload(alice, a_file())
        assert '"origin": {"request_id": "request-of-alice"}' in await db.fetchval(ARGUMENTS)
        with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
            async with app.worker.running(alone=True):
                assert (await settled(app.services, document, within=120)).status == "ready"
                await soon(
                    lambda: db.fetchval("select not exists (select from procrastinate_jobs where lock is not null)"), within=120
                )

    ready = of(lines, "document_ready")
    assert (ready["request_id"], ready["document_id"], ready["job"]) == ("request-of-alice", str(document.id), "index_document")
    assert ready["user_id"] == str(alice)


async def test_a_job_of_an_older_release_runs_and_is_its_own_beginning(application: ApplicationFactory, database: Database) -> None:
    async with application(parser=PlainTextParser()) as app, sql(database.owner_url) as db:
        alice = await registered(app.services, "alice")
        document = await app.services.documents.upload(alice, a_file())
        assert "origin" not in await db.fetchval(ARGUMENTS)
        with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
            async with app.worker.running(alone=True):
                assert (await settled(app.services, document, within=120)).status == "ready"

    ready = of(lines, "document_ready")
    assert ready["request_id"] == f"job-{ready['job_id']}"
