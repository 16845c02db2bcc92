"""What was promised of ingestion, and how it is told from what was measured."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.verdicts import Verdict

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Upload:
    """One document: seconds from its upload to when it could be searched, and what embedding the same chunks alone took.

    ``grown`` is by how much the API process was larger at most, in bytes. ``stages`` are seconds, as the product measures
    them; ``cpu`` are those that its processes used, by what they are.
    """

    chunks: int
    whole: float
    pure: float
    grown: int
    stages: Mapping[str, float]
    cpu: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Bystanders:
    """What others saw for some seconds, in milliseconds."""

    me: float
    me_p99: float
    lag: float
    lag_p99: float
    failures: int


def of_texts(measured: Mapping[int, Sequence[Upload]]) -> Iterator[Verdict]:
    """Tell of texts by their size in bytes."""
    for size, uploads in measured.items():
        ratio = median(one.whole / one.pure for one in uploads)
        yield Verdict(f"{size / MB:g} MB of text, upload to searchable, of pure embedding", ratio, "x", 2.0)
    for size, uploads in measured.items():
        yield Verdict(f"growth of the API process by {size / MB:g} MB of text", max(one.grown for one in uploads) / MB, "MB", 50)


def of_bystanders(idle: Sequence[Bystanders], busy: Sequence[Bystanders]) -> Iterator[Verdict]:
    """Tell of rounds without and with ingestion."""
    for what, name in (("GET /auth/me", "me_p99"), ("lag of a token at 32 streams", "lag_p99")):
        of_idle = median(getattr(one, name) for one in idle)
        of_busy = median(getattr(one, name) for one in busy)
        yield Verdict(f"{what} while a text is indexed, p99, of idle", of_busy / of_idle, "x", 3)
        yield Verdict(f"{what} while a text is indexed, p99", of_busy, "ms", 100)


def of_pdf(pages: int, uploads: Sequence[Upload]) -> Iterator[Verdict]:
    """Tell of a PDF."""
    share = median(100 * one.stages["reading"] / one.stages["whole"] for one in uploads)
    yield Verdict(f"a PDF of {pages} pages: parsing, of its ingestion", share, "%", 5)
