"""Defects of the vector index."""

from uuid import UUID, uuid4

import numpy as np

from backend.core.values.defect import DefectKey
from backend.services.embedders import collection_name
from tests.services.test_consistency.planters.ground import Ground, plants

DIMENSIONS_OF_ANOTHER_MODEL = 7


@plants("embeddings_missing")
async def a_passage_has_no_vector(ground: Ground) -> set[DefectKey]:
    chunk = await ground.chunk()
    await ground.sql("delete from chunk_vectors where chunk_id = $1", chunk)
    await ground.scene.workshop.index.delete(await ground.scene.collection(ground.owner_id), [chunk])
    return await ground.of_collection("embeddings_missing")


@plants("vectors_missing")
async def the_index_lost_a_vector(ground: Ground) -> set[DefectKey]:
    await ground.scene.workshop.index.delete(await ground.scene.collection(ground.owner_id), [await ground.chunk()])
    return await ground.of_collection("vectors_missing")


async def put(ground: Ground, chunk_id: UUID, collection: str | None = None) -> None:
    """Give the index a vector that is nothing like any other."""
    collection = collection or await ground.scene.collection(ground.owner_id)
    dimensions = await ground.scene.workshop.embedder.dimensions()
    vector = np.array([ground.chance.gauss(0, 1) for _ in range(dimensions)], dtype=np.float32)
    await ground.scene.workshop.index.upsert(collection, [chunk_id], (vector / np.linalg.norm(vector))[np.newaxis])


@plants("vectors_extra")
async def the_index_has_a_vector_of_nothing(ground: Ground) -> set[DefectKey]:
    await put(ground, uuid4())
    return await ground.of_collection("vectors_extra")


@plants("vectors_foreign")
async def the_index_has_a_vector_of_somebody_else(ground: Ground) -> set[DefectKey]:
    others = [document for owner_id, document in ground.scene.healthy.items() if owner_id != ground.owner_id]
    await put(ground, (await ground.scene.chunks(ground.chance.choice(others)))[0])
    return await ground.of_collection("vectors_foreign")


@plants("vectors_wrong")
async def the_index_has_another_vector(ground: Ground) -> set[DefectKey]:
    await put(ground, await ground.chunk())
    return await ground.of_collection("vectors_wrong")


@plants("collection_missing")
async def the_collection_is_gone(ground: Ground) -> set[DefectKey]:
    await ground.scene.workshop.index.drop(await ground.scene.collection(ground.owner_id))
    return await ground.of_collection("collection_missing")


@plants("collection_broken")
async def the_collection_is_of_another_model(ground: Ground) -> set[DefectKey]:
    index, collection = ground.scene.workshop.index, await ground.scene.collection(ground.owner_id)
    await index.drop(collection)
    await index.upsert(collection, [uuid4()], np.ones((1, DIMENSIONS_OF_ANOTHER_MODEL), dtype=np.float32))
    return await ground.of_collection("collection_broken")


@plants("collection_orphan")
async def a_collection_that_nothing_uses(ground: Ground) -> set[DefectKey]:
    name = collection_name(ground.owner_id, uuid4()) + ground.chance.choice(("", "-b"))
    await put(ground, uuid4(), name)
    return {("collection_orphan", ground.owner_id, name)}
