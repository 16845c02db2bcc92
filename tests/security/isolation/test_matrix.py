"""Every operation and every place for an id, as somebody else: no answer tells an id of Alice's from one that never existed."""

import re
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from tests.security.isolation.description import Operation, Position, operations
from tests.security.isolation.requests import alike, as_bytes, call
from tests.security.isolation.rows import ROWS, Row
from tests.security.isolation.world import (
    CREDENTIALS,
    Person,
    behind_the_walls,
    known_to_others,
    never_existed,
    newcomer,
    rows_of,
    seen_by,
    spelled,
)
from tests.support.product import Account, Product

UUIDS = re.compile(r"(?<![0-9a-f])[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}(?![0-9a-f])")


@dataclass(slots=True)
class Matrix:
    """Runs the cells, and keeps every byte that was sent to others than Alice."""

    product: Product
    alice: Person
    bob: Person
    received: list[bytes] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    cells: int = 0
    requests: int = 0

    async def plain(self, operation: Operation, row: Row, credential: str) -> None:
        """Call an operation as its caller means it, with nobody else's ids."""
        own = {position for position in operation.positions if position.where == "path" or "token" in position.name}
        if own and operation.method != "GET":
            return  # It would change or end what the other cells need.
        refused = self._refused(row, credential)
        for body in row.bodies:
            async with self._caller(credential, fresh=refused is None and (row.ends or row.shape == "file")) as caller:
                response = await self._call(operation, row, caller, credential, body=body, ids={})
            if not (response.status_code == refused or (refused is None and response.status_code in (200, *row.own))):
                self.findings.append(f"{operation.id} by {credential}: {response.status_code} {response.text}")

    async def cell(self, operation: Operation, row: Row, position: Position, credential: str) -> None:
        """Call an operation with Alice's id and with one that never existed."""
        kind = row.kinds[str(position)]
        thing = self.alice.things[kind]
        known, never = known_to_others(kind, thing), never_existed(kind, thing)
        expected = self._refused(row, credential) or row.refusal(str(position))
        own = self.bob.things["document"]
        once = kind.endswith("'s key")
        for body in row.bodies[:1] if once else row.bodies:
            for hers, nobodys in _placed(position, known, never, own):
                answers = []
                for value in (hers, nobodys):
                    async with self._caller(credential, fresh=once) as caller:
                        answers.append(await self._call(operation, row, caller, credential, body=body, ids={position: value}))
                made = once and expected < 300
                told, untold = (alike(answer, made=made) for answer in answers)
                where = f"{operation.id} {position} by {credential}"
                if told != untold:
                    self.findings.append(f"{where}: {told} and not {untold}")
                if told[0] != expected:
                    self.findings.append(f"{where}: {expected} was expected: {told}")

    def _refused(self, row: Row, credential: str) -> int | None:
        """Return the status that a credential gets whatever it sends."""
        keys = row.account or (row.adds and credential == "limited key")
        return 403 if (credential != "sign-in" and keys) or row.admin else None

    @asynccontextmanager
    async def _caller(self, credential: str, *, fresh: bool) -> AsyncIterator[Person]:
        async with newcomer(self.product, "carol", credential, furnished=True) if fresh else nullcontext(self.bob) as caller:
            yield caller

    async def _call(
        self,
        operation: Operation,
        row: Row,
        caller: Person,
        credential: str,
        *,
        body: Mapping[str, Any],
        ids: Mapping[Position, object],
    ) -> httpx2.Response:
        self.requests += 1
        response = await call(operation, row, caller=caller, credential=credential, body=body, ids=ids)
        self.received.append(as_bytes(response))
        return response


def _placed(position: Position, hers: str, nobodys: str, own: str) -> Iterator[tuple[object, object]]:
    """Yield the ways to put an id into its place: in a list alone, and hidden among one's own."""
    if not position.name.endswith("[]"):
        yield hers, nobodys
        return
    yield [hers], [nobodys]
    yield [own, hers], [own, nobodys]
    yield [hers, own], [nobodys, own]


def cells_of(api: Mapping[str, Operation]) -> Sequence[tuple[Operation, Position]]:
    return [(operation, position) for operation in api.values() for position in operation.positions]


async def test_every_operation_and_every_place_for_an_id_has_a_row(api: dict[str, Operation]) -> None:
    missing = sorted(set(api) - set(ROWS))
    gone = sorted(set(ROWS) - set(api))
    assert (missing, gone) == ([], []), f"give these operations a row in tests/security/isolation/rows.py: {missing}; remove {gone}"
    places = {f"{operation.id}: {position}" for operation, position in cells_of(api)}
    known = {f"{name}: {position}" for name, row in ROWS.items() for position in row.kinds}
    assert (sorted(places - known), sorted(known - places)) == ([], []), "say in their rows what these places for ids name"


def test_a_new_place_for_an_id_is_found_wherever_it_is_nested() -> None:
    schemas = {
        "Pick": {"properties": {"id": {"type": "string", "format": "uuid"}, "next": {"$ref": "#/components/schemas/Pick"}}},
        "Body": {
            "properties": {
                "picks": {"items": {"$ref": "#/components/schemas/Pick"}},
                "owner": {"anyOf": [{"type": "string", "format": "uuid"}, {"type": "null"}]},
                "thread_ids": {"items": {"type": "string"}},
                "by_name": {"additionalProperties": {"type": "string", "format": "uuid"}},
                "query": {"type": "string"},
            }
        },
    }
    parameters = [{"in": "query", "name": "folder_id", "schema": {"type": "string"}}]
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Body"}}}
    post = {"operationId": "new", "parameters": parameters, "requestBody": {"content": content}}
    found = operations({"paths": {"/new": {"post": post}}, "components": {"schemas": schemas}})["new"].positions
    expected = {"query.folder_id", "body.picks[].id", "body.owner", "body.thread_ids[]", "body.by_name.*"}
    assert {str(position) for position in found} == expected


@pytest.fixture(scope="module")
async def matrix(product: Product, alice: Person, bob: Person, api: dict[str, Operation]) -> Matrix:
    """The whole matrix, run once."""
    run = Matrix(product, alice, bob)
    async with behind_the_walls(product) as database:
        shown, stored = await seen_by(alice), await rows_of(database, alice.id)
        for operation in api.values():
            row = ROWS[operation.id]
            for credential in CREDENTIALS:
                await run.plain(operation, row, credential)
                for position in operation.positions:
                    run.cells += 1
                    await run.cell(operation, row, position, credential)
            now = await rows_of(database, alice.id)
            if now != stored:
                run.findings.append(f"{operation.id} has changed what is Alice's: {sorted(set(now) ^ set(stored))}")
                stored = now
        if await seen_by(alice) != shown:
            run.findings.append("Alice is shown something else than before")
    return run


async def test_an_id_of_somebody_elses_is_answered_like_one_that_never_existed(matrix: Matrix, api: dict[str, Operation]) -> None:
    assert matrix.findings == []
    assert matrix.cells == len(cells_of(api)) * len(CREDENTIALS)
    sys.stdout.write(
        f"\nisolation: {len(api)} operations, {len(cells_of(api))} positions, {matrix.cells} cells, {matrix.requests} requests\n"
    )


async def test_nothing_of_hers_is_in_any_byte_that_others_were_sent_nor_in_the_log(matrix: Matrix, alice: Person) -> None:
    shown = str(await seen_by(alice)) + str(alice.things)
    ids = {found.replace("-", "").encode() for found in UUIDS.findall(shown)} - {matrix.bob.id.replace("-", "").encode()}
    assert len(ids) > 8
    marker = alice.account.username.removeprefix("alice")[:32]
    everything = b"\n".join(matrix.received)
    assert marker.encode() not in everything
    assert [id_ for id_ in ids if id_ in everything.replace(b"-", b"")] == []

    log = "".join(matrix.product.lines)
    assert "request" in log
    assert [line for line in matrix.product.lines if marker in line] == []


async def test_the_same_calls_succeed_for_those_whose_things_they_are(
    matrix: Matrix, alice: Person, admin: Account, api: dict[str, Operation]
) -> None:
    cells = sorted(cells_of(api), key=lambda cell: ROWS[cell[0].id].turn)
    for operation, position in cells:
        row = ROWS[operation.id]
        kind = row.kinds[str(position)]
        value: object = spelled(kind, alice.things[kind])
        caller = Person(admin, {"sign-in": admin.client}) if row.admin else alice
        placed = [value] if position.name.endswith("[]") else value
        response = await call(operation, row, caller=caller, credential="sign-in", body=row.bodies[0], ids={position: placed})
        assert response.status_code in row.own, (operation.id, str(position), response.text)
    assert matrix.cells
