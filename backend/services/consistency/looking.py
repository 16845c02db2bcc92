"""Looking twice: what a worker is just doing is no defect."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from backend.core.values.defect import Compared, Defect

Look: TypeAlias = Callable[[Compared], AsyncIterator[Defect]]


async def seen_twice(looks: Sequence[Look], compared: Compared, *, pause_seconds: float) -> list[Defect]:
    """Return the defects that are there now and after a pause; only who has seen something looks again."""
    first = [(look, [defect async for defect in look(compared)]) for look in looks]
    if not any(seen for _, seen in first):
        return []
    await asyncio.sleep(pause_seconds)
    stayed: list[Defect] = []
    for look, seen in first:
        if seen:
            again = {defect.key: defect async for defect in look(Compared())}
            stayed += [both for defect in seen if (both := _in_both(defect, again.get(defect.key))) is not None]
    return stayed


def _in_both(first: Defect, second: Defect | None) -> Defect | None:
    """Return what is in both. Of single vectors and passages, those that were seen both times: others come and go."""
    if second is None or not first.ids:
        return second
    ids = first.ids & second.ids
    if not ids:
        return None
    return replace(second, ids=ids, count=len(ids)) if second.all_named else second
