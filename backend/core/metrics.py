"""What the product measures of itself. A measurement costs nothing to speak of, and is lost where no exporter listens.

Names and units are Prometheus' conventions: base units, ``_total`` for what only grows. Labels have few values: no id of anybody or
anything is one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Protocol

FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
SLOW = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
REQUEST = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Exporter(Protocol):
    """Keeps what was measured, for whoever asks."""

    def add(self, counter: "Counter", amount: float, labels: tuple[str, ...]) -> None:
        """Add to a count."""
        ...

    def observe(self, histogram: "Histogram", value: float, labels: tuple[str, ...]) -> None:
        """Take a value into a distribution."""
        ...


class _Listener:
    exporter: Exporter | None = None


def export_to(exporter: Exporter | None) -> None:
    """Hand all measurements of this process to an exporter from now on, or to nobody."""
    _Listener.exporter = exporter


@dataclass(frozen=True, slots=True)
class Counter:
    """Something that is counted, and only grows."""

    name: str
    help: str
    labels: tuple[str, ...] = ()

    def add(self, amount: float = 1, *labels: str) -> None:
        """Count ``amount`` more."""
        if _Listener.exporter is not None:
            _Listener.exporter.add(self, amount, labels)


@dataclass(frozen=True, slots=True)
class Histogram:
    """Something of which the distribution is of interest. ``buckets`` are upper bounds."""

    name: str
    help: str
    buckets: tuple[float, ...]
    labels: tuple[str, ...] = ()

    def observe(self, value: float, *labels: str) -> None:
        """Take a value in."""
        if _Listener.exporter is not None:
            _Listener.exporter.observe(self, value, labels)

    @contextmanager
    def timed(self, *labels: str) -> Iterator[None]:
        """Take in how many seconds the block took, however it ends."""
        begun = perf_counter()
        try:
            yield
        finally:
            self.observe(perf_counter() - begun, *labels)


@dataclass(frozen=True, slots=True)
class Gauge:
    """Something that is looked at when somebody asks: ``values`` by the labels' values.

    ``own`` says that it is true of this process: where several serve one address, what they have is added up.
    """

    name: str
    help: str
    values: tuple[tuple[tuple[str, ...], float], ...]
    labels: tuple[str, ...] = ()
    own: bool = False


REQUESTS = Histogram(
    "docent_http_request_duration_seconds",
    "Requests by operation, until the last byte of the answer: a streamed one lasts as long as its answer.",
    REQUEST,
    ("operation", "method", "status"),
)
REFUSED = Counter("docent_limits_refused_total", "Requests that a limit refused, by the limit's name.", ("limit",))

FIRST_TOKEN = Histogram(
    "docent_answer_first_token_seconds", "From a question's arrival to the model's first piece of the answer.", SLOW, ("model",)
)
ANSWERS = Histogram(
    "docent_answer_duration_seconds",
    "Answers from their question's arrival to their storing, by how they ended and what they rest on.",
    SLOW,
    ("status", "answer_status"),
)
TOKENS = Counter("docent_tokens_total", "Tokens read (prompt) and said (completion), as they count for usage.", ("model", "kind"))

RETRIEVAL = Histogram("docent_retrieval_leg_duration_seconds", "Searches of one leg.", FAST, ("leg",))
DENSE_SEARCHES = Counter(
    "docent_dense_searches_total",
    "Searches by meaning, by what found: the vector index, the vectors themselves, or those instead of an index of no use.",
    ("by",),
)
RETRIEVAL_DOWN = Counter("docent_retrieval_leg_down_total", "Searches that a leg did not answer.", ("leg",))

INGESTION = Histogram(
    "docent_ingestion_stage_duration_seconds",
    "Stages of indexing: reading and embedding of documents, storing and the index of batches.",
    SLOW,
    ("stage",),
)
DOCUMENTS = Counter("docent_documents_total", "Documents that reached their end, by how.", ("outcome",))
CHUNKS = Counter("docent_chunks_embedded_total", "Chunks that were embedded, again after a change of the model too.")

JOBS = Histogram("docent_job_duration_seconds", "Jobs of the queue, by name and how they ended.", SLOW, ("job", "outcome"))

CONNECTION_WAIT = Histogram(
    "docent_database_connection_wait_seconds",
    "How long a transaction waited for a connection of this process's pool, and its beginning.",
    FAST,
)
