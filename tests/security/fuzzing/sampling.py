"""Which classes of input a place gets: all of them where its schema is met first, a few in turn where it is met again.

Two places with one schema are checked by the same code, so in the places that repeat one it is enough to see that it is there.
With ``DOCENT_FUZZ_SECONDS``, as in ``make fuzz``, every place gets every class.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable
from typing import TypeVar

from tests.security.fuzzing.places import Operation, Place, Schema

Class = TypeVar("Class")
ALL = bool(os.environ.get("DOCENT_FUZZ_SECONDS"))
FEW = 2
WORDS = {"title", "description", "default", "example", "examples"}
"""What a schema says beside what it allows."""


class Sampling:
    """The turns of the places of some operations, in their order."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        met: Counter[str] = Counter()
        self._turns: dict[tuple[str, str, str], int] = {}
        for operation in operations:
            for place in operation.places:
                kind = f"{place.where} {place.nullable} {sorted(place.others)} {json.dumps(_bare(place.schema), sort_keys=True)}"
                self._turns[_key(operation, place)] = met[kind]
                met[kind] += 1

    def of(self, operation: Operation, place: Place, classes: Iterable[Class]) -> list[Class]:
        """Return the classes that a place gets, at least one if there are any."""
        everything = list(classes)
        turn = self._turns[_key(operation, place)]
        if ALL or turn == 0 or len(everything) <= FEW:
            return everything
        return [everything[(turn * FEW + nth) % len(everything)] for nth in range(FEW)]


def _key(operation: Operation, place: Place) -> tuple[str, str, str]:
    return operation.id, str(place), place.schema["type"]


def _bare(schema: Schema) -> Schema:
    """Return a schema without its words; where a field is called like one of them, it stays."""
    bare = {key: value for key, value in schema.items() if key not in WORDS}
    if "properties" in bare:
        bare["properties"] = {name: _bare(inner) for name, inner in bare["properties"].items()}
    return bare
