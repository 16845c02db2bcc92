"""The queue's way to PostgreSQL."""

import asyncio
from typing import Any, LiteralString

import procrastinate
import psycopg
import structlog

log = structlog.get_logger(__name__)

PAUSES_SECONDS = (0.5, 1.0, 2.0)
CONNECT_SECONDS = 5.0


class PatientConnector(procrastinate.PsycopgConnector):
    """Writes again what became of a job, if PostgreSQL was away at that moment.

    The queue itself does not. A job that has ended, but not in the database, would be `doing` for as long as its worker lives: no
    rescue would find it, and its lock would hold back every other job of its document.
    """

    def __init__(self, url: str) -> None:
        super().__init__(conninfo=url, min_size=1, max_size=4, timeout=CONNECT_SECONDS)

    async def execute_query_async(self, query: LiteralString, **arguments: Any) -> None:  # noqa: ANN401 - as overridden
        """See ``PsycopgConnector``. The second time, a statement may find that the first time was enough: that is no outage."""
        for pause in PAUSES_SECONDS if "job_id" in arguments else ():
            try:
                await super().execute_query_async(query, **arguments)
            except procrastinate.exceptions.ConnectorException as error:
                if not isinstance(error.__cause__, psycopg.OperationalError):
                    raise
                log.warning("job_not_written", job_id=arguments["job_id"], error=type(error.__cause__).__name__)
                await asyncio.sleep(pause)
            else:
                return
        await super().execute_query_async(query, **arguments)
