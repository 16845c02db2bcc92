"""Chunks of one text that touch are read as one passage."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from itertools import count
from uuid import UUID

from backend.ports.chat_model import Passage

GAP_CHARACTERS = 16
"""Chunks touch with at most so much between them: white space, for the splitter leaves nothing else out."""

Run = tuple[Passage, ...]
"""Chunks of one version of a document that touch or overlap, in the order of the text."""


def touching(chunks: Sequence[Passage], *, room: int) -> list[Run]:
    """Group the chosen chunks into runs, in the order of their best chunks; ``chunks`` are best first, each by itself.

    What lies between two chunks is in neither, so it takes ``room``: where that is used up, chunks that touch stay apart.
    """
    runs: list[list[Passage]] = []
    for chunk in sorted(chunks, key=lambda chunk: (chunk.document_id, chunk.version, chunk.start, chunk.end)):
        if runs and (gap := _gap(runs[-1], chunk)) is not None and (gap == 0 or gap <= room):
            runs[-1].append(chunk)
            room -= gap
        else:
            runs.append([chunk])
    places = {chunk.chunk_id: place for place, chunk in enumerate(chunks)}
    return sorted((tuple(run) for run in runs), key=lambda run: min(places[chunk.chunk_id] for chunk in run))


def joined(runs: Sequence[Run], texts: Mapping[Run, str | None]) -> tuple[Passage, ...]:
    """Make one passage of each run, best first with markers from 1; ``texts`` are the stored ones, of runs of several chunks.

    A passage has the best score of its chunks, and page and heading of the first. A run whose text is not there stays apart.
    """
    passages: list[Passage] = []
    for run in runs:
        text = texts.get(run)
        passages.extend(run if text is None else [_one(run, text)])
    best_first = sorted(passages, key=lambda passage: -passage.score)
    return tuple(replace(passage, marker=marker) for marker, passage in enumerate(best_first, start=1))


def strongest(passages: Sequence[Passage], chunks: int) -> tuple[Passage, ...]:
    """Return what is left of passages that are best first if only their best ``chunks`` stay, joined where they still touch.

    Passages keep their markers. Of one that falls apart the piece with the best chunk does, and the others get the next free ones.
    """
    if not any(passage.parts for passage in passages):
        return tuple(passages[:chunks])
    every = [part for passage in passages for part in passage.chunks]
    kept = {part.chunk_id for part in sorted(every, key=lambda part: -part.score)[:chunks]}
    free = count(max(passage.marker for passage in passages) + 1)
    pieces: list[Passage] = []
    for passage in passages:
        for run in _remaining(passage, kept):
            start, end = run[0].start - passage.start, max(part.end for part in run) - passage.start
            piece = _one(run, passage.text[start:end])
            marker = passage.marker if piece.chunk_id == passage.chunk_id else next(free)
            pieces.append(replace(piece, marker=marker))
    return tuple(sorted(pieces, key=lambda piece: -piece.score))


def _remaining(passage: Passage, kept: Set[UUID]) -> Iterator[Run]:
    run: list[Passage] = []
    for part in passage.chunks:
        if part.chunk_id in kept:
            run.append(part)
        elif run:
            yield tuple(run)
            run = []
    if run:
        yield tuple(run)


def _gap(run: Sequence[Passage], chunk: Passage) -> int | None:
    """Return how many characters lie between a run and the chunk behind it, or ``None`` if they do not touch."""
    if (chunk.document_id, chunk.version) != (run[0].document_id, run[0].version):
        return None
    gap = max(0, chunk.start - max(part.end for part in run))
    return gap if gap <= GAP_CHARACTERS else None


def _one(run: Run, text: str) -> Passage:
    if len(run) == 1:
        return run[0]
    best = max(run, key=lambda part: part.score)
    end = max(part.end for part in run)
    return replace(run[0], chunk_id=best.chunk_id, end=end, text=text, score=best.score, parts=run)
