"""From the costs of one thing to what so many accounts need."""

from dataclasses import dataclass
from math import ceil
from operator import attrgetter

from benchmarks.unit_costs.figures import Figures

PROCESSES = ("api", "worker", "postgres", "chroma")
SECONDS_A_DAY = 86_400
GB = 1e9


@dataclass(frozen=True, slots=True)
class Assumed:
    """How people use it, and how large a machine may be. Nothing of this was measured: put in your own."""

    documents: float = 50
    document_bytes: float = 300_000
    passages: float = 40
    kept_answers: float = 1_000
    active_share: float = 0.2
    questions: float = 10
    uploads: float = 0.5
    sign_ins: float = 1
    pages: float = 60
    busiest_hour: float = 0.2
    answer_tokens: float = 300
    token_bytes: float = 4
    tokens_per_second: float = 30
    full_core: float = 0.5
    machine_cores: float = 32
    machine_memory: float = 128 * GB
    machine_disk: float = 8_000 * GB
    connections: float = 100


ASSUMED = Assumed()
SENTENCES = {
    "documents": "documents of an account",
    "document_bytes": "bytes of a document's file",
    "passages": "passages of a document",
    "kept_answers": "questions and answers that an account keeps",
    "active_share": "share of the accounts that are active on a day",
    "questions": "questions of an active account on a day",
    "uploads": "documents that an active account uploads on a day",
    "sign_ins": "sign-ins of an active account on a day",
    "pages": "requests of an active account on a day, to show pages",
    "busiest_hour": "share of a day's work that falls into its busiest hour",
    "answer_tokens": "tokens of an answer",
    "token_bytes": "bytes of a token's text",
    "tokens_per_second": "tokens that the model writes in a second, for each answer",
    "full_core": "share of a core that is planned to be used in the busiest hour",
    "machine_cores": "cores of the largest machine",
    "machine_memory": "bytes of its memory",
    "machine_disk": "bytes of its disk",
    "connections": "connections that a PostgreSQL takes (its default)",
}


@dataclass(frozen=True, slots=True)
class Need:
    """What an installation of so many accounts needs in its busiest hour."""

    users: int
    questions_per_second: float
    streams: float
    tokens_per_second: float
    cores: dict[str, float]
    api_processes: int
    workers: int
    connections: int
    api_memory: float
    chroma_memory: float
    redis_memory: float
    postgres_disk: float
    wal_per_day: float
    chroma_disk: float
    files_disk: float


def need(users: int, of: Figures, assumed: Assumed) -> Need:
    """Work out what so many accounts need."""
    active = users * assumed.active_share
    per_second = active * assumed.busiest_hour / 3600
    asked, uploaded = per_second * assumed.questions, per_second * assumed.uploads
    done = {
        "an answer": asked,
        "a token": asked * assumed.answer_tokens,
        "a request for a page": per_second * assumed.pages,
        "a sign-in": per_second * assumed.sign_ins,
        "a document": uploaded,
        "a passage": uploaded * assumed.passages,
    }
    used = {name: sum(of.cpu[what][name] * rate for what, rate in done.items()) / 1000 for name in PROCESSES}
    cores = {name: busy / assumed.full_core for name, busy in used.items()}
    api, workers = max(1, ceil(cores["api"])), max(1, ceil(cores["worker"]))
    streams = asked * assumed.answer_tokens / assumed.tokens_per_second
    documents, vectors = users * assumed.documents, users * assumed.documents * assumed.passages
    # Whoever asks in the busiest hour has a collection that is wanted in memory.
    loaded = min(active, active * assumed.questions * assumed.busiest_hour)
    wal = of.wal_sign_in * assumed.sign_ins + of.wal_answer * assumed.questions
    wal += (of.wal_document + of.wal_passage * assumed.passages) * assumed.uploads
    answer = of.postgres_answer + assumed.token_bytes * assumed.answer_tokens
    account = of.postgres_user + answer * assumed.kept_answers
    return Need(
        users=users,
        questions_per_second=asked,
        streams=streams,
        tokens_per_second=asked * assumed.answer_tokens,
        cores=cores,
        api_processes=api,
        workers=workers,
        connections=ceil(api * of.api_connections + workers * of.worker_connections),
        api_memory=api * of.api_memory + streams * of.api_memory_stream + workers * of.worker_memory,
        chroma_memory=loaded * (of.chroma_memory_collection + of.chroma_memory_vector * assumed.documents * assumed.passages),
        redis_memory=loaded * of.redis_user + asked * 300 * assumed.answer_tokens * of.redis_stream_token,
        postgres_disk=users * account + documents * of.postgres_document + vectors * of.postgres_passage,
        wal_per_day=active * wal,
        chroma_disk=users * of.chroma_disk_collection + vectors * of.chroma_disk_vector,
        files_disk=documents * (assumed.document_bytes + of.files_document),
    )


@dataclass(frozen=True, slots=True)
class Limit:
    """Something that ends, and at how many accounts."""

    what: str
    users: float


def limits(of: Figures, assumed: Assumed) -> list[Limit]:
    """Return what ends on one server of each kind, the first one first. Needs grow with the accounts, so a million tells it."""
    million = need(1_000_000, of, assumed)
    ends: dict[str, tuple[float, float]] = {
        "one API process, which is one core": (million.cores["api"], 1),
        "the cores of one PostgreSQL": (million.cores["postgres"], assumed.machine_cores),
        "the connections of one PostgreSQL": (million.connections, assumed.connections),
        "the disk of one PostgreSQL": (million.postgres_disk, assumed.machine_disk),
        "the memory of one Chroma, if whoever asks shall not wait": (million.chroma_memory, assumed.machine_memory),
        "the disk of one Chroma": (million.chroma_disk, assumed.machine_disk),
        "the cores of one Chroma": (million.cores["chroma"], assumed.machine_cores),
        "one disk for the files": (million.files_disk, assumed.machine_disk),
        "the memory of one Redis": (million.redis_memory, assumed.machine_memory),
    }
    found = [Limit(what, 1_000_000 * at / wanted) for what, (wanted, at) in ends.items() if wanted > 0]
    return sorted(found, key=attrgetter("users"))
