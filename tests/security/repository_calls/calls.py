"""One call of every repository method that concerns a user: as somebody, about somebody else's things or about one's own."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from backend.core.clock import now
from backend.core.ids import new_id
from backend.core.values.chat import Answer, Timings, Usage
from backend.core.values.document import Chunk
from backend.db.repositories.texts import Span
from backend.db.uow import Transaction

Things = SimpleNamespace
Call = Callable[[Transaction, UUID, Things], Awaitable[Any]]

ANSWER = Answer("mine", new_id(), new_id(), "complete", "grounded", "m", (), Usage(1, 1, None), Timings(None, None, 1.0))


async def _has_pages(tx: Transaction, me: UUID, document_id: UUID) -> bool:
    """A text that is there may have no pages, and the list of them is empty then."""
    return await tx.texts.pages(me, document_id, 1) is not None


READS: dict[str, Call] = {
    "sign_ins.user_of": lambda tx, me, hers: tx.sign_ins.user_of(me, hers.sign_in),
    "sessions.get": lambda tx, me, hers: tx.sessions.get(me, hers.session),
    "messages.history": lambda tx, me, hers: tx.messages.history(me, hers.session, limit=9),
    "messages.said_before": lambda tx, me, hers: tx.messages.said_before(me, hers.session, new_id()),
    "messages.newest": lambda tx, me, hers: tx.messages.newest(me, hers.session, limit=9),
    "messages.get": lambda tx, me, hers: tx.messages.get(me, hers.answer),
    "messages.page": lambda tx, me, hers: tx.messages.page(me, hers.session, limit=9, after=None),
    "tasks.get": lambda tx, me, hers: tx.tasks.get(me, hers.task),
    "tasks.hold": lambda tx, me, hers: tx.tasks.hold(me, hers.task),
    "tasks.hold_answering": lambda tx, me, hers: tx.tasks.hold_answering(me, hers.streaming),
    "tasks.live_of_key": lambda tx, me, hers: tx.tasks.live_of_key(me, hers.api_key),
    "documents.get": lambda tx, me, hers: tx.documents.get(me, hers.document),
    "documents.by_sha256": lambda tx, me, hers: tx.documents.by_sha256(me, hers.sha256),
    "documents.standings": lambda tx, me, hers: tx.documents.standings(me, [hers.document]),
    "documents.lock": lambda tx, me, hers: tx.documents.lock(me, hers.document, status="ready", version=1),
    "documents.names_file": lambda tx, me, hers: tx.documents.names_file(me, hers.blob_key),
    "documents.deleted": lambda tx, me, hers: tx.documents.deleted(me, hers.deleted),
    "texts.versions": lambda tx, me, hers: tx.texts.versions(me, hers.document),
    "texts.slice": lambda tx, me, hers: tx.texts.slice(me, hers.document, 1, start=0, end=9),
    "texts.pages": lambda tx, me, hers: _has_pages(tx, me, hers.document),
    "texts.spans": lambda tx, me, hers: tx.texts.spans(me, [Span(hers.document, 1, 0, 9)]),
    "chunks.ids_of": lambda tx, me, hers: tx.chunks.ids_of(me, hers.document, version=1),
    "chunks.dead_ids": lambda tx, me, hers: tx.chunks.dead_ids(me, hers.cancelled),
    "chunks.wanted": lambda tx, me, hers: tx.chunks.wanted(me, [hers.chunk]),
    "chunks.searchable": lambda tx, me, hers: tx.chunks.searchable(me, [hers.chunk]),
    "chunks.sampled": lambda tx, me, hers: tx.chunks.sampled(me, [hers.document], documents=9, turn=0),
    "chunks.found": lambda tx, me, hers: tx.chunks.found(me, [hers.chunk]),
    "vectors.searchable": lambda tx, me, hers: tx.vectors.searchable(me, hers.generation, within=[hers.document]),
    "vectors.of_document": lambda tx, me, hers: tx.vectors.of_document(me, hers.generation, hers.document, unindexed_only=False),
    "vectors.embedded": lambda tx, me, hers: tx.vectors.embedded(me, hers.generation, hers.document),
    "vectors.batch": lambda tx, me, hers: tx.vectors.batch(me, hers.generation, after=None, limit=9),
    "vectors.indexed_count": lambda tx, me, hers: tx.vectors.indexed_count(me, hers.generation),
    "generations.get": lambda tx, me, hers: tx.generations.get(me, hers.generation),
    "generations.hold": lambda tx, me, hers: tx.generations.hold(me, hers.generation),
    "stored.vectors": lambda tx, me, hers: tx.stored.vectors(me, hers.generation, after=None, limit=9),
    "stored.expected": lambda tx, me, hers: tx.stored.expected(me, hers.generation),
    "stored.vectors_of": lambda tx, me, hers: tx.stored.vectors_of(me, hers.generation, [hers.chunk]),
    "consistency.passages": lambda tx, me, hers: tx.consistency.passages(me, hers.document, 1, after=-1, limit=9),
    "idempotency.hold": lambda tx, me, hers: tx.idempotency.hold(me, hers.key_of_request),
    "lexicon.search": lambda tx, me, hers: tx.lexicon.search(me, "krill", within=[hers.document], limit=9),
}
WRITES: dict[str, Call] = {
    "sign_ins.revoke": lambda tx, me, hers: tx.sign_ins.revoke(me, hers.sign_in),
    "sign_ins.rotate": lambda tx, me, hers: tx.sign_ins.rotate(me, hers.sign_in, refresh_hash=b"x", expires_at=hers.moment),
    "sign_ins.prolong": lambda tx, me, hers: tx.sign_ins.prolong(me, hers.sign_in, expires_at=hers.moment),
    "sessions.update": lambda tx, me, hers: tx.sessions.update(me, hers.session, title="mine"),
    "sessions.give_title": lambda tx, me, hers: tx.sessions.give_title(me, hers.untitled, "mine", titled=True),
    "sessions.touch": lambda tx, me, hers: tx.sessions.touch(me, hers.session),
    "sessions.delete": lambda tx, me, hers: tx.sessions.delete(me, hers.session),
    "messages.add_turn": lambda tx, me, hers: tx.messages.add_turn(
        me, hers.session, question_id=new_id(), question="Q", answer_id=new_id(), model="m"
    ),
    "messages.add_answer": lambda tx, me, hers: tx.messages.add_answer(me, hers.session, answer_id=new_id(), model="m"),
    "messages.rate": lambda tx, me, hers: tx.messages.rate(me, hers.answered, hers.answer, rating="up", comment="mine"),
    "messages.copy": lambda tx, me, hers: tx.messages.copy(me, hers.answered, hers.message, into=hers.session),
    "messages.finish": lambda tx, me, hers: tx.messages.finish(
        me, replace(ANSWER, session_id=hers.session, message_id=hers.streaming)
    ),
    "messages.call_for_stop": lambda tx, me, hers: tx.messages.call_for_stop(me, hers.streaming),
    "messages.call_for_stops": lambda tx, me, hers: tx.messages.call_for_stops(me, session_id=hers.open),
    "messages.call_to_keep": lambda tx, me, hers: tx.messages.call_to_keep(me, hers.streaming),
    "tasks.start_attempt": lambda tx, me, hers: tx.tasks.start_attempt(me, hers.task),
    "tasks.note_progress": lambda tx, me, hers: tx.tasks.note_progress(replace(hers.running_task, owner_id=me), characters=9),
    "tasks.hand_back": lambda tx, me, hers: tx.tasks.hand_back(replace(hers.running_task, owner_id=me), waiting_for="mine"),
    "tasks.try_again": lambda tx, me, hers: tx.tasks.try_again(replace(hers.running_task, owner_id=me)),
    "tasks.end": lambda tx, me, hers: tx.tasks.end(me, hers.task, "cancelled"),
    "tasks.remove": lambda tx, me, hers: tx.tasks.remove(me, hers.ended_task),
    "documents.rename": lambda tx, me, hers: tx.documents.rename(me, hers.document, "mine"),
    "documents.update": lambda tx, me, hers: tx.documents.update(me, hers.document, status="failed"),
    "documents.start_attempt": lambda tx, me, hers: tx.documents.start_attempt(me, hers.pending),
    "documents.hand_back": lambda tx, me, hers: tx.documents.hand_back(me, hers.document, waiting_for="mine"),
    "documents.end": lambda tx, me, hers: tx.documents.end(me, hers.document, code="mine", message="mine"),
    "documents.queue_again": lambda tx, me, hers: tx.documents.queue_again(me, hers.document),
    "documents.mark_deleted": lambda tx, me, hers: tx.documents.mark_deleted(me, hers.document),
    "documents.remove": lambda tx, me, hers: tx.documents.remove(me, hers.deleted),
    "texts.put": lambda tx, me, hers: tx.texts.put(me, hers.document, 1, text="mine", pages=[]),
    "texts.delete": lambda tx, me, hers: tx.texts.delete(me, hers.document, 1),
    "chunks.store": lambda tx, me, hers: tx.chunks.store(
        me, hers.document, 1, [Chunk(new_id(), 99, None, None, 0, 1, "m")], ["m"], language="english"
    ),
    "chunks.delete": lambda tx, me, hers: tx.chunks.delete(me, hers.document, [hers.chunk]),
    "vectors.store": lambda tx, me, hers: tx.vectors.store(me, hers.generation, [hers.chunk], [b"xx"]),
    "vectors.confirm": lambda tx, me, hers: tx.vectors.confirm(me, hers.generation, [hers.late_chunk], collection=hers.collection),
    "vectors.index_only": lambda tx, me, hers: tx.vectors.index_only(me, hers.generation, chunk_ids=[hers.late_chunk]),
    "vectors.withdraw": lambda tx, me, hers: tx.vectors.withdraw(me, [hers.chunk]),
    "stored.remove_vectors": lambda tx, me, hers: tx.stored.remove_vectors(me, hers.generation, [hers.chunk]),
    "vectors.unconfirm": lambda tx, me, hers: tx.vectors.unconfirm(me, hers.generation),
    "lexicon.add_document": lambda tx, me, hers: tx.lexicon.add_document(me, hers.document, 1),
    "lexicon.remove_document": lambda tx, me, hers: tx.lexicon.remove_document(me, hers.document, 1),
    "generations.switch": lambda tx, me, hers: tx.generations.switch(me, hers.building),
    "generations.move": lambda tx, me, hers: tx.generations.move(me, hers.generation, "mine"),
    "generations.retire": lambda tx, me, hers: tx.generations.retire(me, hers.building),
    "generations.count_removed": lambda tx, me, hers: tx.generations.count_removed(me, hers.generation, 9),
    "generations.remove": lambda tx, me, hers: tx.generations.remove(me, hers.generation),
    "api_keys.revoke": lambda tx, me, hers: tx.api_keys.revoke(me, hers.api_key),
    "api_keys.touch": lambda tx, me, hers: tx.api_keys.touch(me, hers.api_key),
    "idempotency.take_over": lambda tx, me, hers: tx.idempotency.take_over(
        me, hers.key_of_request, operation="mine", fingerprint=b"x"
    ),
    "idempotency.renew": lambda tx, me, hers: tx.idempotency.renew(me, hers.key_of_request),
    "idempotency.bind": lambda tx, me, hers: tx.idempotency.bind(me, hers.key_of_request, new_id()),
    "idempotency.finish": lambda tx, me, hers: tx.idempotency.finish(me, hers.key_of_request, status=200),
    "idempotency.finish_bound": lambda tx, me, hers: tx.idempotency.finish_bound(me, hers.bound_key, hers.answer, status=200),
    "idempotency.forget": lambda tx, me, hers: tx.idempotency.forget(me, hers.key_of_request),
    "leftovers.remove_documents": lambda tx, me, hers: tx.leftovers.remove_documents(me, [hers.document]),
}
OWN_READS: dict[str, Call] = {
    "users.get": lambda tx, me, _: tx.users.get(me),
    "tiers.of_owner": lambda tx, me, _: tx.tiers.of_owner(me),
    "sign_ins.of_owner": lambda tx, me, _: tx.sign_ins.of_owner(me),
    "api_keys.page": lambda tx, me, _: tx.api_keys.page(me, limit=9, after=None),
    "sessions.ids": lambda tx, me, _: tx.sessions.ids(me),
    "sessions.page": lambda tx, me, _: tx.sessions.page(me, limit=9, after=None),
    "sessions.search": lambda tx, me, _: tx.sessions.search(me, "Q", limit=9, after=None),
    "tasks.page": lambda tx, me, _: tx.tasks.page(me, limit=9, after=None),
    "tasks.live": lambda tx, me, _: tx.tasks.live(me),
    "documents.page": lambda tx, me, _: tx.documents.page(me, limit=9, after=None),
    "documents.standings": lambda tx, me, _: tx.documents.standings(me, None),
    "vectors.missing": lambda tx, me, hers: tx.vectors.missing(me, hers.building, limit=9),
    "generations.ready": lambda tx, me, _: tx.generations.ready(me),
    "generations.of_owner": lambda tx, me, _: tx.generations.of_owner(me),
    "consistency.documents": lambda tx, me, _: tx.consistency.documents(me, after=None, limit=9),
    "usage.standing": lambda tx, me, _: tx.usage.standing(me, now().date()),
    "usage.of_day": lambda tx, me, _: tx.usage.of_day(me, now().date()),
    "usage.days": lambda tx, me, _: tx.usage.days(me, now().date()),
    "usage.stored": lambda tx, me, _: tx.usage.stored(me),
    "lexicon.search": lambda tx, me, _: tx.lexicon.search(me, "krill", within=None, limit=9),
    "lexicon.chunks": lambda tx, me, _: tx.lexicon.chunks(me),
}
OWN_WRITES: dict[str, Call] = {
    "users.update": lambda tx, me, _: tx.users.update(me, full_name="Me"),
    "users.set_password_hash": lambda tx, me, _: tx.users.set_password_hash(me, "x"),
    "users.bump_token_version": lambda tx, me, _: tx.users.bump_token_version(me),
    "sign_ins.revoke_all": lambda tx, me, _: tx.sign_ins.revoke_all(me, but=None),
    "api_keys.revoke_all": lambda tx, me, _: tx.api_keys.revoke_all(me),
    "reset_links.use_up": lambda tx, me, _: tx.reset_links.use_up(me),
    "reset_links.add": lambda tx, me, hers: tx.reset_links.add(me, link_id=new_id(), hash_=b"x", expires_at=hers.moment),
    "generations.lock": lambda tx, me, _: tx.generations.lock(me),
    "generations.ensure": lambda tx, me, hers: tx.generations.ensure(
        me, hers.built_by, generation_id=hers.fresh, dimensions=9, collection=f"docent-{hers.fresh}", building=True
    ),
    "leftovers.hide_documents": lambda tx, me, _: tx.leftovers.hide_documents(me),
    "users.mark_deleted": lambda tx, me, _: tx.users.mark_deleted(me),
}
# They insert what is the owner's own, look for nothing of anybody's, or are the system's by design.
NOT_ABOUT_ANOTHERS_IDS = {
    *("users.add", "sign_ins.add", "sessions.add", "documents.add", "api_keys.add", "usage.add", "idempotency.add", "audit.note"),
    *("users.by_login", "users.page", "users.others_administer", "sign_ins.locked", "reset_links.locked"),
    *("api_keys.with_owner", "sign_ins.with_owner"),
    *(
        "users.add",
        "sign_ins.add",
        "sessions.add",
        "tasks.add",
        "documents.add",
        "api_keys.add",
        "usage.add",
        "idempotency.add",
        "audit.note",
    ),
    *("users.by_login", "users.page", "users.others_administer", "sign_ins.locked", "api_keys.with_owner", "reset_links.locked"),
    *("idempotency.expire", "idempotency.forget_running", "usage.totals", "usage.hold", "audit.page"),
    *("generations.all", "generations.worn", "generations.missing_chunks", "generations.indexed_by", "generations.exist"),
    *("queue.state", "queue.failures", "tasks.without_job"),  # The system's view, for administrators and the clock.
    *("documents.without_job", "vectors.unindexed_documents", "messages.end_abandoned", "messages.renew"),
    *("jobs.queued", "jobs.hasten", "jobs.forget_ended", "jobs.withdraw"),
    "calls.cancel",  # Whose a call is, is part of its id, and none is stored.
    *("consistency.owners", "consistency.existing", "consistency.is_left_over", "stored.foreign", "stored.files", "lexicon.lock"),
    *("stored.named_files", "stored.collections_in_work", "stored.newest_job", "stored.queued"),
    *("consistency.disagreements", "consistency.recount"),  # What an operator asks about an account, and nobody else.
    *("tiers.get", "tiers.all", "tiers.update", "settings.get", "settings.remember", "settings.replace", "jobs.defer"),
    # Of deleted accounts only, as a test of their own shows.
    *("leftovers.collections", "leftovers.files", "leftovers.clear", "leftovers.remove_account", "leftovers.without_job"),
}
