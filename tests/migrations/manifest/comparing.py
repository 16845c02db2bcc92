"""What the previous release could not live with: each difference of a newer schema that its code may stumble over."""

import re
from collections.abc import Iterator
from typing import Any

from tests.migrations.manifest.reading import Manifest

Thing = dict[str, Any]

LITERAL = re.compile(r"'(?:[^']|'')*'")
LENGTH = re.compile(r"character varying\((\d+)\)")
TIES = "a", "r"
"""Foreign keys that keep a parent from being deleted: NO ACTION and RESTRICT."""


def incompatibilities(old: Manifest, new: Manifest) -> list[str]:
    """Return what stands between the code of the older schema and the newer one, a sentence for each; none means that it works."""
    return sorted([*_tables(old, new), *_functions(old, new), *_types(old, new), *_sequences(old, new)])


def _both(old: dict[str, Thing], new: dict[str, Thing], kind: str) -> Iterator[tuple[str, Thing, Thing]]:
    """Yield what is in both; what is gone is the caller's own affair, told by ``_gone``."""
    for name in old.keys() & new.keys():
        yield f"{kind} {name}", old[name], new[name]


def _gone(old: dict[str, Any], new: dict[str, Any], kind: str) -> Iterator[str]:
    return (f"{kind} {name} is gone" for name in old.keys() - new.keys())


def _grants(where: str, old: Thing, new: Thing) -> Iterator[str]:
    for role, rights in old["grants"].items():
        for right in set(rights) - set(new["grants"].get(role, ())):
            yield f"{where}: {role} may no longer {right}"


def _tables(old: Manifest, new: Manifest) -> Iterator[str]:
    yield from _gone(old["tables"], new["tables"], "table")
    for where, before, after in _both(old["tables"], new["tables"], "table"):
        if before["kind"] != after["kind"]:
            yield f"{where} is of another kind"
        for wall in ("walls", "forced"):
            if before[wall] != after[wall]:
                yield f"{where}: row-level security is not what it was ({wall})"
        yield from _grants(where, before, after)
        yield from _columns(where, before["columns"], after["columns"])
        yield from _constraints(where, before, after)
        yield from _unique_indexes(where, before, after)
        yield from _unchanged(f"{where}: policy", before["policies"], after["policies"], added="its rows may be hidden or refused")
        yield from _unchanged(f"{where}: trigger", before["triggers"], after["triggers"], added=None)
    for name in new["tables"].keys() - old["tables"].keys():
        for key, constraint in new["tables"][name]["constraints"].items():
            if constraint["kind"] == "f" and constraint["parent"] in old["tables"] and constraint["deletes"] in TIES:
                yield f"table {name}: {key} keeps rows of {constraint['parent']} from being deleted"


def _columns(where: str, old: dict[str, Thing], new: dict[str, Thing]) -> Iterator[str]:
    yield from _gone(old, new, f"{where}: column")
    for column, before, after in _both(old, new, f"{where}: column"):
        if not _holds(before["type"], after["type"]):
            yield f"{column} was {before['type']} and is {after['type']}"
        if before["nullable"] != after["nullable"]:
            yield f"{column} {'may be' if after['nullable'] else 'must not be'} NULL"
        for what in ("default", "generated", "identity"):
            if before[what] != after[what]:
                yield f"{column}: {what} was {before[what] or 'none'} and is {after[what] or 'none'}"
    for name in new.keys() - old.keys():
        fresh = new[name]
        if not (fresh["nullable"] or fresh["default"] or fresh["generated"] or fresh["identity"]):
            yield f"{where}: column {name} is new, and an older insert gives it no value"


def _holds(old: str, new: str) -> bool:
    """Whether a type takes and gives all that another did, and is had without writing the table anew."""
    if old == new:
        return True
    length, longer = LENGTH.fullmatch(old), LENGTH.fullmatch(new)
    if length or old == "character varying":
        return new in {"text", "character varying"} or bool(length and longer and int(longer[1]) >= int(length[1]))
    return False


def _constraints(where: str, old: Thing, new: Thing) -> Iterator[str]:
    before, after = old["constraints"], new["constraints"]
    for name in before.keys() - after.keys():
        # A check that is gone refuses nothing. Upserts, translated errors and deletions rest on the others.
        if before[name]["kind"] != "c":
            yield f"{where}: constraint {name} is gone"
    for constraint, was, now in _both(before, after, f"{where}: constraint"):
        if was["definition"] != now["definition"] and not _wider(was, now):
            yield f"{constraint} is not what it was"
    fresh = new["columns"].keys() - old["columns"].keys()
    for name in after.keys() - before.keys():
        if not _spares_older_rows(after[name], fresh, new):
            yield f"{where}: constraint {name} is new, and an older insert could break it"


def _wider(was: Thing, now: Thing) -> bool:
    """Whether a check lets through what it did: the same words, with more values in its lists."""
    (before, old_values), (after, new_values) = (_values(check["definition"]) for check in (was, now))
    return was["kind"] == now["kind"] == "c" and before == after and "= ANY" in before and old_values <= new_values


def _values(definition: str) -> tuple[str, set[str]]:
    listed = re.sub(r"ARRAY\[[^\]]*\]", "ARRAY[]", definition)
    outside = LITERAL.findall(listed)
    return listed, set(LITERAL.findall(definition)) - set(outside)


def _spares_older_rows(constraint: Thing, fresh: set[str], table: Thing) -> bool:
    """Whether rows that say nothing of new columns always satisfy a constraint."""
    columns = set(constraint["columns"])
    empty = {name for name in columns & fresh if table["columns"][name]["nullable"] and table["columns"][name]["default"] is None}
    if constraint["kind"] in "ux":  # NULL is like no other.
        return bool(empty) and "NULLS NOT DISTINCT" not in constraint["definition"]
    if constraint["kind"] == "f":
        return bool(empty) and "MATCH FULL" not in constraint["definition"]
    return constraint["kind"] == "c" and bool(columns) and columns <= fresh


def _unique_indexes(where: str, old: Thing, new: Thing) -> Iterator[str]:
    before = {name: index for name, index in old["indexes"].items() if index["unique"] and name not in old["constraints"]}
    after = {name: index for name, index in new["indexes"].items() if index["unique"] and name not in new["constraints"]}
    yield from _gone(before, after, f"{where}: unique index")  # Upserts and translated errors name it.
    for index, was, now in _both(before, after, f"{where}: unique index"):
        if was["definition"] != now["definition"]:
            yield f"{index} is not what it was"
    for name in after.keys() - before.keys():
        columns = (new["columns"][column] for column in set(after[name]["columns"]) - old["columns"].keys())
        if after[name]["nulls_alike"] or not any(column["nullable"] and column["default"] is None for column in columns):
            yield f"{where}: unique index {name} is new, and an older insert could break it"


def _unchanged(what: str, old: dict[str, str], new: dict[str, str], *, added: str | None) -> Iterator[str]:
    yield from _gone(old, new, what)
    for name in old.keys() & new.keys():
        if old[name] != new[name]:
            yield f"{what} {name} is not what it was"
    if added is not None:
        yield from (f"{what} {name} is new: {added}" for name in new.keys() - old.keys())


def _functions(old: Manifest, new: Manifest) -> Iterator[str]:
    yield from _gone(old["functions"], new["functions"], "function")
    for where, before, after in _both(old["functions"], new["functions"], "function"):
        for what in ("arguments", "result", "definer"):
            if before[what] != after[what]:
                yield f"{where}: {what} was {before[what]} and is {after[what]}"
        yield from _grants(where, before, after)


def _types(old: Manifest, new: Manifest) -> Iterator[str]:
    yield from _gone(old["types"], new["types"], "type")
    for where, before, after in _both(old["types"], new["types"], "type"):
        if before["kind"] != after["kind"] or before["fields"] != after["fields"]:
            yield f"{where} is not what it was"
        for label in set(before["labels"] or ()) - set(after["labels"] or ()):
            yield f"{where}: value {label} is gone"


def _sequences(old: Manifest, new: Manifest) -> Iterator[str]:
    yield from _gone(old["sequences"], new["sequences"], "sequence")
    for where, before, after in _both(old["sequences"], new["sequences"], "sequence"):
        yield from _grants(where, before, after)
