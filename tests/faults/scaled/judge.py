"""What has to be true when all is quiet again: nothing accepted is lost, and nothing is called complete that is not."""

import asyncio
import json
import os
from asyncio.subprocess import PIPE, STDOUT
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from deploy.scaled import Scaled
from tests.faults.scaled.asking import Received
from tests.faults.scaled.model import TOKEN, whole_text
from tests.faults.scaled.person import Kept, Person
from tests.faults.scaled.tally import Tally
from tests.support.invariants import Place, sound_within
from tests.support.product import DOCENT

SETTLED_SECONDS = 120.0
ANSWERS = (
    "select m.id, m.status, m.content, m.error_code, (select q.content from messages q where q.session_id = m.session_id"
    " and q.role = 'user' and q.id < m.id order by q.id desc limit 1) as question from messages m where m.role = 'assistant'"
)
UNENDED = (
    "select 'answer ' || id::text as what from messages where status = 'streaming'"
    " union all select 'task ' || id::text from tasks where state in ('queued', 'running')"
)
BLOBS = (
    "select blob_key from documents union"
    " select args->>'blob_key' from procrastinate_jobs where task_name = 'discard_file' and status <> 'succeeded'"
)
DEFECTS = ("request_failed", "turn_failed", "worker_failed", "answer_not_stored", "Task exception was never retrieved")
"""Lines of the log that no disturbance excuses."""


def place_of(scaled: Scaled) -> Place:
    """Return where the topology keeps what it has."""
    environment = scaled.environment
    return Place(environment["DATABASE_URL"], environment["CHROMA_URL"], Path(environment["DATA_DIR"]) / "files")


async def judged(scaled: Scaled, people: Sequence[Person], tally: Tally) -> str:
    """Wait until all is quiet, look for what is wrong, and return what there was in one line. Failures go to the tally."""
    place = place_of(scaled)
    begun = monotonic()
    await _until_ended(place, tally)
    # The bytes of an upload whose process was killed before its row was written are nobody's.
    orphans = await _orphans(place)
    try:
        await sound_within(place, SETTLED_SECONDS, orphans=orphans)
    except AssertionError as error:
        tally.failures.append(str(error))
    took = monotonic() - begun
    checked = await _checked(scaled, place, tally)
    await asyncio.gather(*(_documents(person, tally) for person in people))
    told = await _answers(place, people, tally)
    _logged(scaled, tally)
    kept, gone = sum(len(person.kept) for person in people), sum(len(person.gone) for person in people)
    return (
        f"{kept + gone} documents accepted, {gone} deleted, {checked}; answers {told};"
        f" all quiet {took:.1f} s after the last request"
    )


async def _until_ended(place: Place, tally: Tally) -> None:
    deadline = monotonic() + SETTLED_SECONDS
    while rows := await place.rows(UNENDED):
        if monotonic() > deadline:
            tally.failures.append(f"never ended: {[row['what'] for row in rows[:5]]}")
            return
        await asyncio.sleep(0.2)


async def _documents(person: Person, tally: Tally) -> None:
    """Everything accepted is there, once, with its bytes; and what was deleted is not."""
    for kept in person.kept.values():
        response = await person.door.send("document", "GET", f"/api/v1/chat/documents/{kept.document_id}", expected=[404])
        document = {} if response is None else response.json()
        if document.get("status") == "failed" and document["error"]:
            tally.failures.append(f"{kept.document_id} failed: {document['error']}")
        elif document.get("status") != "ready":
            tally.failures.append(f"accepted, and lost: {kept.document_id} is {document.get('status')}")
        else:
            await _found(person, kept, 1, tally)
            path = f"/api/v1/chat/documents/{kept.document_id}/file"
            file = await person.door.send("file", "GET", path)
            if file is None or file.content != kept.data:
                tally.failures.append(f"other bytes in {kept.document_id}")
    for gone in person.gone.values():
        response = await person.door.send("document", "GET", f"/api/v1/chat/documents/{gone.document_id}", expected=[404])
        if response is None or response.status_code != 404:
            tally.failures.append(f"deleted, and back: {gone.document_id}")
    for gone in list(person.gone.values())[:10]:
        await _found(person, gone, 0, tally)


async def _found(person: Person, kept: Kept, times: int, tally: Tally) -> None:
    body = {"query": f"the object {kept.marker}", "limit": 10}
    response = await person.door.send("search", "POST", "/api/v1/chat/search", json=body)
    hits = [] if response is None else [hit for hit in response.json()["hits"] if f"object {kept.marker} weighs" in hit["quote"]]
    if len(hits) != times:
        tally.failures.append(f"{kept.document_id} is found {len(hits)} times by its marker, not {times}")


async def _answers(place: Place, people: Sequence[Person], tally: Tally) -> str:
    """Compare what is stored with what the model had to say, and what was received with what is stored."""
    stored = {str(row["id"]): row for row in await place.rows(ANSWERS)}
    for message_id, row in stored.items():
        (token,) = TOKEN.findall(row["question"])
        whole = whole_text(token)
        if row["status"] == "complete" and row["content"] != whole:
            tally.failures.append(f"stored as complete, and is not: {message_id}: {row['content']!r}")
        elif not whole.startswith(row["content"]):
            tally.failures.append(f"stored, and never said: {message_id}: {row['content']!r}")
    for received in (received for person in people for received in person.received):
        row = stored.get(received.message_id)
        if row is None:
            tally.failures.append(f"received, and lost: {received.message_id}")
        else:
            _compare(received, row["status"], row["content"], tally)
    counted = Counter(row["status"] + (f" ({row['error_code']})" if row["error_code"] else "") for row in stored.values())
    return ", ".join(f"{status}: {times}" for status, times in sorted(counted.items()))


def _compare(received: Received, status: str, content: str, tally: Tally) -> None:
    whole = whole_text(received.token)
    if not whole.startswith(received.text) or (received.end == "complete" and received.text != whole):
        tally.failures.append(f"received {received.end}, and is not what was said: {received.message_id}: {received.text!r}")
    if received.end == "complete" and (status, content) != ("complete", whole):
        tally.failures.append(f"received as complete, and stored as {status}: {received.message_id}")


async def _orphans(place: Place) -> set[str]:
    named = {row["blob_key"] for row in await place.rows(BLOBS)}
    return place.stored() - named


async def _checked(scaled: Scaled, place: Place, tally: Tally) -> str:
    """`docent check` has nothing to say, and the files of nobody are removed once they are an hour old.

    What was half written goes with the start of any process, what nobody names with `docent check --repair`.
    """
    left = await _orphans(place)
    await _check(scaled, tally)
    for key in left:
        os.utime(place.files / key, (0, 0))
    if left:
        await scaled.workers[0].stop()
        await scaled.workers[0].start()
        await _check(scaled, tally, "--repair")
    if still := await _orphans(place):
        tally.failures.append(f"files of nobody that no repair removes: {sorted(still)}")
    return f"{len(left)} files of nobody, {len(left) - len(still)} of them removed by the repair"


async def _check(scaled: Scaled, tally: Tally, *options: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(str(DOCENT), "check", *options), stdout=PIPE, stderr=STDOUT, env=scaled.environment, cwd=scaled.folder
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        tally.failures.append(f"docent check {' '.join(options)}: {output.decode(errors='replace')}")


def _logged(scaled: Scaled, tally: Tally) -> None:
    """Add to each 500 what the product logged of it, and report defects that nobody was told of."""
    for member in (*scaled.apis, *scaled.workers):
        for line in member.lines:
            found = _parsed(line)
            request_id = str(found.get("request_id", ""))
            if request_id in tally.broken and found.get("exception"):
                tally.broken[request_id] += f"\n    {member.name}: {found}"
            elif str(found.get("event")).startswith(DEFECTS):
                tally.failures.append(f"logged by {member.name}: {found}")


def _parsed(line: str) -> dict[str, object]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
