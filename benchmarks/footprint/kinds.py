"""The processes of a running product, by what they are."""

from collections.abc import Callable

from benchmarks.processes import command, family

API = "API"
OTHERS = "others"
_WORDS = (("chromadb_rust_bindings", "Chroma"), ("postgres", "PostgreSQL"))


def by_kind(pid: int, measure: Callable[[int], float]) -> dict[str, float]:
    """Add up what is measured of the product's process and of those below it; watchers count as their servers."""
    kinds = {API: measure(pid)}
    for one in family(pid)[1:]:
        kind = next((name for word, name in _WORDS if word in command(one)), OTHERS)
        kinds[kind] = kinds.get(kind, 0.0) + measure(one)
    return kinds
