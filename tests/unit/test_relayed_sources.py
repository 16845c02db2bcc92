"""What is told to other processes of the sources of an answer."""

from uuid import UUID

from asyncpg.pgproto import pgproto

from backend.core.values.chat import Source
from backend.services.answering.events import Delta, Found
from backend.services.answering.relaying import _Numbered, sources_of

DOCUMENT = UUID("01a2053c-635b-7727-ac2f-60bc04fb8aa2")


def test_sources_arrive_as_they_were_though_the_database_has_a_uuid_of_its_own() -> None:
    source = Source(1, pgproto.UUID(str(DOCUMENT)), "Notes", None, None, 0, 4, "text", 0.5, cited=True)
    found, said = _Numbered().pieces([Found((source,)), Delta("Hello")])
    assert sources_of(found) == (source,)
    assert sources_of(found)[0].document_id == DOCUMENT
    assert (said.after, said.data) == (found.number, "Hello")
