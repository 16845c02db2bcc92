"""The tables of docs/scaling.md, from the figures that are kept."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from benchmarks.unit_costs.arithmetic import ASSUMED, GB, PROCESSES, SENTENCES, Assumed, limits, need
from benchmarks.unit_costs.figures import Figures

FIGURES = Path(__file__).with_name("figures.json")
PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"
SCALES = (100, 1_000, 10_000, 100_000, 1_000_000)


def read() -> Figures:
    """Return the figures that are kept."""
    return Figures.of(json.loads(FIGURES.read_text(encoding="utf-8")))


def sections(figures: Figures, assumed: Assumed) -> dict[str, str]:
    """Return each table by its name."""
    return {
        "costs": _costs(figures),
        "processor": _table(
            ("Milliseconds of a core", *PROCESSES),
            ((what, *(_number(of[name]) for name in PROCESSES)) for what, of in figures.cpu.items()),
        ),
        "assumed": _table(("Assumed", ""), ((SENTENCES[name], _number(value)) for name, value in asdict(assumed).items())),
        "needs": _needs(figures, assumed),
        "limits": _table(
            ("What ends", "at so many accounts"),
            ((limit.what, _number(_rounded(limit.users))) for limit in limits(figures, assumed)),
        ),
    }


def rendered(figures: Figures, assumed: Assumed) -> str:
    """Return all tables."""
    return "\n".join(sections(figures, assumed).values())


def written(page: str, figures: Figures, assumed: Assumed) -> str:
    """Return the page with its tables made anew."""
    for name, table in sections(figures, assumed).items():
        before, begin, rest = page.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- /{name} -->")
        page = f"{before}{begin}\n{table}\n{end}{after}"
    return page


def write_page() -> None:
    """Write the tables of docs/scaling.md anew."""
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), read(), ASSUMED), encoding="utf-8")


def _costs(of: Figures) -> str:
    rows = (
        ("an account, with one sign-in", "PostgreSQL", _bytes(of.postgres_user)),
        ("a document, without its passages", "PostgreSQL", _bytes(of.postgres_document)),
        ("a passage", "PostgreSQL", f"{_bytes(of.postgres_passage)} ({_named(of.tables['passage'])})"),
        ("a question and its answer, of few words", "PostgreSQL", f"{_bytes(of.postgres_answer)} ({_named(of.tables['answer'])})"),
        ("a sign-in", "PostgreSQL's write-ahead log", _bytes(of.wal_sign_in)),
        (
            "a document; each of its passages",
            "PostgreSQL's write-ahead log",
            f"{_bytes(of.wal_document)}; {_bytes(of.wal_passage)}",
        ),
        ("a question and its answer", "PostgreSQL's write-ahead log", _bytes(of.wal_answer)),
        ("a document, beyond its own bytes", "the files", _bytes(of.files_document)),
        ("an account with documents", "Chroma's disk", _bytes(of.chroma_disk_collection)),
        (f"a vector of {of.dimensions:.0f} dimensions", "Chroma's disk", _bytes(of.chroma_disk_vector)),
        ("an account's collection that is loaded", "Chroma's memory", _bytes(of.chroma_memory_collection)),
        ("a vector that is loaded", "Chroma's memory", _bytes(of.chroma_memory_vector)),
        ("an account that asks", "Redis", _bytes(of.redis_user)),
        ("a token of an answer that is read in another process, for five minutes", "Redis", _bytes(of.redis_stream_token)),
        ("an API process, after all of this", "memory", _bytes(of.api_memory)),
        ("a worker, after all of this", "memory", _bytes(of.worker_memory)),
        ("an open stream", "memory of the API process", _bytes(of.api_memory_stream)),
        ("an API process", "connections of PostgreSQL, at most", _number(of.api_connections)),
        ("a worker", "connections of PostgreSQL, at most", _number(of.worker_connections)),
    )
    return _table(("One of these", "takes of", "so much"), rows)


def _needs(figures: Figures, assumed: Assumed) -> str:
    needs = [need(users, figures, assumed) for users in SCALES]
    rows = (
        ("questions in a second", *(_number(each.questions_per_second) for each in needs)),
        ("open streams", *(_number(each.streams) for each in needs)),
        ("tokens in a second, from the model", *(_number(each.tokens_per_second) for each in needs)),
        *((f"cores of {name}", *(_number(each.cores[name]) for each in needs)) for name in ("postgres", "chroma")),
        ("API processes", *(_number(each.api_processes) for each in needs)),
        ("workers", *(_number(each.workers) for each in needs)),
        ("their memory together", *(_bytes(each.api_memory) for each in needs)),
        ("connections of PostgreSQL", *(_number(each.connections) for each in needs)),
        ("disk of PostgreSQL", *(_bytes(each.postgres_disk) for each in needs)),
        ("its write-ahead log in a day", *(_bytes(each.wal_per_day) for each in needs)),
        ("disk of Chroma", *(_bytes(each.chroma_disk) for each in needs)),
        ("memory of Chroma, if nobody who asks shall wait", *(_bytes(each.chroma_memory) for each in needs)),
        ("disk of the files", *(_bytes(each.files_disk) for each in needs)),
        ("memory of Redis", *(_bytes(each.redis_memory) for each in needs)),
    )
    return _table(("Accounts", *(f"{users:,}" for users in SCALES)), rows)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines).replace("|  |", "| |")


def _named(tables: dict[str, float]) -> str:
    return ", ".join(f"`{name}` {_bytes(size)}" for name, size in sorted(tables.items(), key=lambda item: -item[1])[:3])


def _number(value: float) -> str:
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"


def _rounded(value: float) -> float:
    """Return two digits: there are not more in it."""
    return float(f"{value:.2g}")


def _bytes(value: float) -> str:
    for unit, size in (("TB", 1000 * GB), ("GB", GB), ("MB", 1e6), ("KB", 1e3)):
        if value >= size:
            return f"{_number(_rounded(value / size))} {unit}"
    return f"{value:.0f} B"
