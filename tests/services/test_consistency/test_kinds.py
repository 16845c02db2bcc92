"""Every kind of defect: planted, listed, mended."""

import random
from typing import get_args
from uuid import uuid4

import numpy as np
import pytest

from backend.core.errors import UserNotFoundError
from backend.core.values.defect import KINDS, SENTENCES, DefectKey, DefectKind
from backend.services.consistency.vectors import VectorExaminer
from backend.services.embedders import collection_name
from tests.services.test_consistency.planters import PLANTERS, Ground
from tests.services.test_consistency.scene import Scene

SEEDS = range(max(map(len, PLANTERS.values())))
"""With so many every way to plant has its turn."""
WHOLE_COLLECTIONS: tuple[DefectKind, ...] = ("collection_missing", "collection_broken")
IN_A_COLLECTION = {"vectors_missing", "vectors_extra", "vectors_foreign", "vectors_wrong"}


def visible(planted: set[DefectKey]) -> set[DefectKey]:
    """Of a collection that is lost as a whole, nothing else is told."""
    lost = {subject for kind, _, subject in planted if kind in WHOLE_COLLECTIONS}
    return {key for key in planted if key[0] not in IN_A_COLLECTION or key[2] not in lost}


async def sow(scene: Scene, seed: int) -> set[DefectKey]:
    """Plant a defect of every kind at some owner's, in the order and in the ways that the seed gives; collections are lost last."""
    chance = random.Random(seed)  # noqa: S311 - a repeatable choice
    owners = chance.sample(list(scene.healthy), len(scene.healthy))
    grounds = []
    for kind in sorted(PLANTERS, key=lambda kind: (kind in WHOLE_COLLECTIONS, chance.random())):
        owner_id = owners[WHOLE_COLLECTIONS.index(kind)] if kind in WHOLE_COLLECTIONS else chance.choice(owners)
        grounds.append((kind, Ground(scene, owner_id, await scene.document(owner_id), chance)))
    planted: set[DefectKey] = set()
    for kind, ground in grounds:
        planted |= await PLANTERS[kind][seed % len(PLANTERS[kind])](ground)
    return planted


def test_every_kind_has_a_planter_and_a_sentence() -> None:
    assert set(KINDS) == set(get_args(DefectKind))
    assert [kind for kind in KINDS if kind not in PLANTERS] == []
    assert [kind for kind in KINDS if kind not in SENTENCES] == []


@pytest.mark.timeout(600)
async def test_a_check_lists_exactly_what_was_planted_and_a_repair_leaves_nothing_of_it(scene: Scene) -> None:
    before = await scene.content()
    for seed in SEEDS:
        assert await scene.keys(deep=True) == set(), f"before seed {seed}"
        planted = visible(await sow(scene, seed))
        assert await scene.keys() == planted, f"seed {seed}"

        assert await scene.repaired() == [], f"seed {seed}"
        assert await scene.keys(deep=True) == set(), f"after seed {seed}"
        assert await scene.content() == before, f"seed {seed}"


async def test_one_account_is_looked_at_alone(scene: Scene) -> None:
    alice, bob, carol = scene.healthy
    for owner_id in (alice, bob):
        for kind in ("text_missing", "vectors_extra", "collection_orphan", "file_missing", "file_orphan"):
            await PLANTERS[kind][0](Ground(scene, owner_id, await scene.document(owner_id), random.Random(1)))  # noqa: S311
    names = {owner_id: (await scene.workshop.services.profile.me(owner_id)).username for owner_id in scene.healthy}

    found = await scene.defects(username=names[bob].upper())

    assert {defect.owner_id for defect in found} == {bob}
    assert [defect.kind for defect in found] == ["text_missing", "vectors_extra", "file_missing", "collection_orphan"]
    assert await scene.defects(username=names[carol]) == []
    with pytest.raises(UserNotFoundError):
        await scene.defects(username="nobody")


async def test_bytes_that_changed_and_not_in_number_are_found_by_reading_them(scene: Scene) -> None:
    owner_id = next(iter(scene.healthy))
    document = await scene.document(owner_id)
    path = await scene.file(document)
    path.write_bytes(path.read_bytes()[:-1] + b"?")

    assert await scene.keys() == set()
    assert await scene.keys(deep=True) == {("file_damaged", owner_id, str(document.id))}
    assert await scene.repaired(deep=True) == []
    found = await scene.workshop.services.documents.get(owner_id, document.id)
    assert (found.status, found.file_lost) == ("ready", True)


async def test_a_broken_text_whose_file_is_lost_ends_with_a_sentence_and_answers_no_more(scene: Scene) -> None:
    owner_id = next(iter(scene.healthy))
    document = await scene.document(owner_id)
    data = (path := await scene.file(document)).read_bytes()
    path.unlink()
    await scene.workshop.rows("delete from document_texts where document_id = $1", document.id)

    assert await scene.repaired() == []
    found = await scene.workshop.services.documents.get(owner_id, document.id)
    assert (found.status, found.live_version, found.chunks, found.error_code) == ("failed", None, 0, "blob_not_found")
    assert found.error_message is not None
    assert "Upload it again" in found.error_message
    assert await scene.chunks(document) == []

    again = await scene.workshop.indexed(owner_id, data.decode())
    assert (again.id, again.status, again.chunks) == (document.id, "ready", document.chunks)
    assert await scene.keys(deep=True) == set()


async def test_passages_of_a_model_that_is_gone_are_embedded_by_the_preferred_one(scene: Scene) -> None:
    owner_id = next(iter(scene.healthy))
    await PLANTERS["embeddings_missing"][0](Ground(scene, owner_id, await scene.document(owner_id), random.Random(1)))  # noqa: S311
    rename = "update index_generations set embedder = $2 where owner_id = $1"
    await scene.workshop.rows(rename, owner_id, "gone/model")

    assert await scene.repaired() == []
    ready = await scene.workshop.rows("select embedder from index_generations where owner_id = $1 and state = 'ready'", owner_id)
    assert [row["embedder"] for row in ready] == [scene.workshop.embedder.identity]


async def test_collections_of_strangers_are_nobodys_only_where_no_other_installation_is(scene: Scene) -> None:
    name = collection_name(uuid4(), uuid4())
    index = scene.workshop.index
    await index.upsert(name, [uuid4()], np.ones((1, 3), dtype=np.float32))
    found = {
        sole: {defect.subject async for defect in VectorExaminer(scene.workshop.uow, index, sole=sole).orphans(None)}
        for sole in (True, False)
    }

    assert name in found[True]
    assert name not in found[False]


async def test_an_owner_whose_generation_is_gone_is_embedded_anew(scene: Scene) -> None:
    owner_id = next(iter(scene.healthy))
    before, collection = await scene.content(), await scene.collection(owner_id)
    await scene.workshop.rows("delete from index_generations where owner_id = $1", owner_id)

    assert await scene.keys() == {
        ("embeddings_missing", owner_id, str(owner_id)),
        ("collection_orphan", owner_id, collection),
    }
    assert await scene.repaired() == []
    assert collection not in await scene.workshop.index.collections()
    assert [rows[-3:] for rows in (await scene.content()).values()] == [rows[-3:] for rows in before.values()]
