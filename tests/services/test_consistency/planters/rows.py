"""Defects of rows: texts, passages, stored vectors, counts, and what waits for ever."""

from uuid import uuid4

from backend.core.values.defect import DefectKey
from backend.core.values.user import Caller, Origin
from tests.services.test_consistency.planters.ground import Ground, by_sql, plants

by_sql("text_missing", "delete from document_texts where document_id = $1")
by_sql(
    "chunks_incomplete",
    "update documents set chunks = chunks + 1 where id = $1",
    "update chunks set ordinal = ordinal + 1000 where document_id = $1 and ordinal = 1",
)
by_sql(
    "chunk_text_mismatch",
    "update chunks set text = text || '!' where document_id = $1 and ordinal = 1",
    "update chunks set search_text = search_text || ' more' where document_id = $1 and ordinal = 2",
    "update chunks set start_offset = start_offset + 1 where document_id = $1 and ordinal = 0",
    "update document_texts set text = 'x' || text where document_id = $1",
)
by_sql(
    "chunk_text_mismatch",
    "update chunks set tsv = to_tsvector('english', 'something else') where document_id = $1 and ordinal = 1",
    also=("lexicon_wrong",),
)
by_sql(
    "chunks_dead",
    "insert into chunks (id, owner_id, document_id, version, ordinal, start_offset, end_offset, text, search_text, tsv, length)"
    " select gen_random_uuid(), owner_id, document_id, version + 7, ordinal, start_offset, end_offset, text, search_text, tsv,"
    "   length from chunks where document_id = $1",
)


@plants("chunks_incomplete")
async def a_passage_is_gone(ground: Ground) -> set[DefectKey]:
    await ground.sql("delete from chunks where id = $1", await ground.chunk())
    return ground.of_document("chunks_incomplete") | ground.of_owner("lexicon_wrong") | await ground.of_collection("vectors_extra")


@plants("vector_damaged")
async def a_vector_is_cut(ground: Ground) -> set[DefectKey]:
    await ground.sql("update chunk_vectors set vector = substr(vector, 1, 9) where chunk_id = $1", await ground.chunk())
    return await ground.of_collection("vector_damaged")


@plants("vector_damaged")
async def a_vector_is_no_number(ground: Ground) -> set[DefectKey]:
    damage = "update chunk_vectors set vector = decode('007e', 'hex') || substr(vector, 3) where chunk_id = $1"
    await ground.sql(damage, await ground.chunk())
    return await ground.of_collection("vector_damaged")


@plants("document_stuck")
async def an_upload_whose_job_is_lost(ground: Ground) -> set[DefectKey]:
    lost = await ground.scene.workshop.uploaded(ground.owner_id, f"Lost at sea. {uuid4()}")
    await ground.sql("delete from procrastinate_jobs where args->>'document_id' = $1", str(lost.id))
    await ground.sql("update documents set updated_at = now() - interval '2 minutes' where id = $1", lost.id)
    return {("document_stuck", ground.owner_id, str(lost.id))}


@plants("document_stuck")
async def a_deletion_whose_job_is_lost(ground: Ground) -> set[DefectKey]:
    await ground.scene.workshop.services.documents.delete(ground.owner_id, ground.document.id)
    await ground.sql("delete from procrastinate_jobs where args->>'document_id' = $1", str(ground.document.id))
    then = "updated_at = now() - interval '2 minutes', deleted_at = now() - interval '2 minutes'"
    await ground.sql(f"update documents set {then} where id = $1", ground.document.id)  # noqa: S608 - our own words
    return ground.of_document("document_stuck")


@plants("answer_stuck")
async def an_answer_that_never_ends(ground: Ground) -> set[DefectKey]:
    session = await ground.scene.workshop.services.sessions.create(ground.owner_id, title="Cut", document_ids=None)
    answer_id = await ground.scene.workshop.turn(ground.owner_id, session.id)
    await ground.sql("update messages set status = 'streaming', updated_at = now() - interval '2 hours' where id = $1", answer_id)
    return {("answer_stuck", ground.owner_id, str(answer_id))}


@plants("account_left")
async def an_account_whose_removal_is_lost(ground: Ground) -> set[DefectKey]:
    gone = await ground.scene.workshop.furnished("gone")
    await ground.scene.workshop.services.administration.delete(Caller(ground.owner_id, "admin", "free"), gone, origin=Origin())
    await ground.sql("delete from procrastinate_jobs where args->>'owner_id' = $1", str(gone))
    await ground.sql("update users set deleted_at = now() - interval '2 minutes' where id = $1", gone)
    return {("account_left", gone, str(gone))}


@plants("lexicon_wrong")
async def a_word_is_counted_twice(ground: Ground) -> set[DefectKey]:
    await ground.sql(
        "update lexemes set frequency = frequency + 1 where owner_id = $1 and lexeme = (select min(lexeme) from lexemes"
        " where owner_id = $1)",
        ground.owner_id,
    )
    return ground.of_owner("lexicon_wrong")


@plants("lexicon_wrong")
async def the_size_is_wrong(ground: Ground) -> set[DefectKey]:
    await ground.sql("update corpus_sizes set total_length = total_length + 1 where owner_id = $1", ground.owner_id)
    return ground.of_owner("lexicon_wrong")
