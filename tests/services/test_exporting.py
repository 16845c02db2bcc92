"""Exports: names that are safe, files that are lost, and things that go away meanwhile."""

import io
import json
import tracemalloc
import zipfile
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from backend.core.errors import RateLimitedError, TokenInvalidError
from backend.core.ids import new_id
from backend.core.values.document import Upload
from backend.core.values.user import Origin
from backend.services.accounts.exporting.zipping import safe_name
from backend.services.registry import Services
from tests.conftest import ApplicationFactory, registered
from tests.support.files import a_file
from tests.support.workshop import Workshop

MIB = 1 << 20


async def exported(services: Services, owner_id: UUID) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(b"".join([piece async for piece in services.exporter.export(owner_id, origin=Origin())])))
    assert archive.testzip() is None
    return archive


@pytest.mark.parametrize(
    ("filename", "safe"),
    [
        ("notes.md", "notes.md"),
        ("🐳 wäl.md", "🐳 wäl.md"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("..", "_"),
        ("a/b\\c.txt", "a_b_c.txt"),
        ("\x00\x1b[31m.txt", "__[31m.txt"),
        ("exe\u202efdp.txt", "exe_fdp.txt"),
        ("con.txt", "_con.txt"),
        ("dots. . .", "dots"),
        ('what? "this": <that>|*.pdf', "what_ _this__ _that___.pdf"),
        ("é.txt", "é.txt"),
    ],
)
def test_names_become_safe_to_unpack(filename: str, safe: str) -> None:
    assert safe_name(filename) == safe


@pytest.mark.parametrize("filename", ["🐳" * 300 + ".pdf", "x" * 5000, "a." + "b" * 5000, "é" * 200 + ".docx"])
def test_long_names_are_cut_and_keep_what_they_end_with(filename: str) -> None:
    name = safe_name(filename)
    assert 0 < len(name.encode()) <= 200
    assert len(filename) > 1000 or name.endswith(filename[-4:])


async def test_names_that_lead_elsewhere_and_names_of_ours_stay_in_their_folder(workshop: Workshop) -> None:
    alice = await workshop.user()
    for number, filename in enumerate(("../../evil.txt", "text.txt", "TEXT.TXT", "/etc/x.txt")):
        await workshop.indexed(alice, f"The file number {number} says krill.", filename=filename)

    archive = await exported(workshop.services, alice)

    documents = json.loads(archive.read("documents.json"))
    assert [document["filename"] for document in documents] == ["/etc/x.txt", "TEXT.TXT", "text.txt", "../../evil.txt"]
    for number, document in enumerate(reversed(documents)):
        folder, _, name = document["file"].rpartition("/")
        assert folder == f"documents/{document['id']}"
        assert name.lower() not in {"text.txt", "..", ""}
        assert archive.read(document["file"]).decode() == f"The file number {number} says krill."
        assert archive.read(f"{folder}/text.txt").decode() == f"The file number {number} says krill."


async def test_a_file_that_the_store_has_lost_is_noted_and_the_rest_is_there(workshop: Workshop) -> None:
    alice = await workshop.furnished("alice")
    lost = await workshop.indexed(alice, "This file gets lost.", filename="lost.txt")
    (workshop.files / lost.blob_key).unlink()

    archive = await exported(workshop.services, alice)

    noted, kept = json.loads(archive.read("documents.json"))
    assert (noted["id"], noted["file"], noted["file_missing"]) == (str(lost.id), None, "The file is missing on the server.")
    assert archive.read(f"documents/{lost.id}/text.txt") == b"This file gets lost."
    assert archive.read(kept["file"]).decode() == "The diary of alice: whales eat krill."


async def test_more_rows_than_one_transaction_reads_are_all_there_once(workshop: Workshop) -> None:
    alice = await workshop.user()
    session = await workshop.services.sessions.create(alice, title="Long", document_ids=None)
    for number in range(120):
        await workshop.turn(alice, session.id, number)
        await workshop.services.sessions.create(alice, title=f"Number {number}", document_ids=None)

    archive = await exported(workshop.services, alice)

    assert len([name for name in archive.namelist() if name.startswith("sessions/")]) == 2 * 121
    messages = json.loads(archive.read(f"sessions/{session.id}.json"))["messages"]
    assert [m["content"] for m in messages if m["role"] == "user"] == [f"Question {number}" for number in range(120)]
    assert archive.read(f"sessions/{session.id}.md").decode().count("## Answer") == 120


async def test_what_is_deleted_meanwhile_is_left_out(workshop: Workshop) -> None:
    alice = await workshop.furnished("alice")
    session = await workshop.services.sessions.create(alice, title="Deleted soon", document_ids=None)
    pieces, parts = workshop.services.exporter.export(alice, origin=Origin()), []
    async for piece in pieces:
        parts.append(piece)
        if piece.startswith(b"PK\3\4") and b"documents.json" in piece:
            await workshop.services.sessions.delete(alice, session.id)

    names = zipfile.ZipFile(io.BytesIO(b"".join(parts))).namelist()

    assert len([name for name in names if name.startswith("sessions/")]) == 2
    with pytest.raises(TokenInvalidError):
        await exported(workshop.services, new_id())


async def test_a_large_file_is_never_in_memory(services: Services, alice: UUID) -> None:
    block = bytes(range(256)) * 4096

    async def pieces() -> AsyncIterator[bytes]:
        yield b"%PDF-1.7\n"
        for number in range(64):
            yield number.to_bytes(4, "big") + block

    await services.documents.upload(alice, Upload("large.pdf", None, pieces()))
    tracemalloc.start()
    try:
        total = 0
        async for piece in services.exporter.export(alice, origin=Origin()):
            total += len(piece)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert total > 64 * MIB
    assert peak < 8 * MIB


async def test_one_export_of_an_account_runs_at_a_time(application: ApplicationFactory) -> None:
    async with application(settings={"limits_enabled": True}) as running:
        alice, bob = await registered(running.services, "alice"), await registered(running.services, "bob")
        usage = running.services.usage
        async with usage.enter_export(alice), usage.enter_export(bob):
            with pytest.raises(RateLimitedError) as refused:
                async with usage.enter_export(alice):
                    pass
        assert refused.value.details == {"limit": "running_exports"}
        async with usage.enter_export(alice):
            pass


async def test_texts_of_earlier_versions_are_in_it_for_older_citations(workshop: Workshop) -> None:
    alice = await workshop.user()
    document = await workshop.indexed(alice, "Whales eat krill.")
    await workshop.services.documents.replace(alice, document.id, a_file("notes.txt", b"Owls eat mice."))
    await workshop.attempted(document)

    archive = await exported(workshop.services, alice)

    assert archive.read(f"documents/{document.id}/text.txt") == b"Owls eat mice."
    assert archive.read(f"documents/{document.id}/text-version-1.txt") == b"Whales eat krill."
