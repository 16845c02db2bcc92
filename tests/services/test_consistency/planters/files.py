"""Defects of stored files."""

import os
import time
from uuid import uuid4

from backend.core.values.defect import DefectKey
from tests.services.test_consistency.planters.ground import Ground, plants


@plants("file_missing")
async def the_file_is_gone(ground: Ground) -> set[DefectKey]:
    (await ground.scene.file(ground.document)).unlink()
    return ground.of_document("file_missing")


@plants("file_missing")
async def the_file_of_a_document_that_failed_is_gone(ground: Ground) -> set[DefectKey]:
    workshop = ground.scene.workshop
    failed = await workshop.indexed(ground.owner_id, " " * ground.chance.randint(1, 10**6))
    assert failed.status == "failed"
    (await ground.scene.file(failed)).unlink()
    return {("file_missing", ground.owner_id, str(failed.id))}


@plants("file_damaged")
async def the_file_has_another_size(ground: Ground) -> set[DefectKey]:
    with (await ground.scene.file(ground.document)).open("ab") as file:
        file.write(b"more")
    return ground.of_document("file_damaged")


@plants("file_orphan")
async def a_file_that_nothing_names(ground: Ground) -> set[DefectKey]:
    for old in (False, True):
        name = uuid4().hex
        path = ground.scene.workshop.files / "blobs" / name[-2:] / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"nobody's")
        if old:
            os.utime(path, (time.time() - 4000, time.time() - 4000))
    return {("file_orphan", None, f"blobs/{name[-2:]}/{name}")}
