"""Suggested questions: made of the owner's own documents, and answered by them."""

from pathlib import Path
from uuid import UUID

import pytest

from backend.core.errors import DocumentNotFoundError, SessionNotFoundError
from backend.core.ids import new_id
from backend.core.values.chat import Question
from backend.core.values.user import Reach
from backend.services.registry import Services
from tests.support.files import a_file
from tests.support.workshop import Workshop

SHELF: dict[str, bytes] = {
    "handbook.md": (Path(__file__).parents[2] / "examples" / "handbook.md").read_bytes(),
    "whales.txt": (
        b"Blue whales eat krill and small fish, which they filter from the cold water of the ocean. An adult needs four tonnes of"
        b" krill a day. Calves drink milk for seven months."
    ),
    "stock.csv": b"article,colour,amount\nwooden chair,green,14\nround table,white,3\nreading lamp,black,27\n",
    "mietrecht.txt": (
        "Die Kündigungsfristen für Wohnungen betragen drei Monate zum Ende eines Quartals. Der Vermieter muss die Kündigung"
        " schriftlich begründen. Nach zehn Jahren verlängert sich die Frist."
    ).encode(),
    "tower.txt": "東京タワーは東京都港区にある電波塔である。高さは333メートルで、1958年に完成した。".encode(),
}


async def test_what_is_suggested_is_answered_by_its_document(services: Services, alice: UUID, bob: UUID) -> None:
    assert await services.suggestions.suggest(alice, limit=4) == []
    shelf = {}
    for name, data in SHELF.items():
        document = await services.documents.upload(alice, a_file(name, data))
        await services.documents.index(alice, document.id)
        shelf[document.id] = name

    suggested = await services.suggestions.suggest(alice, limit=10)

    assert [shelf[one.document_id] for one in suggested][:5] == list(SHELF)[::-1], "each document once, the newest first"
    assert {shelf[one.document_id] for one in suggested[5:]} == {"handbook.md"}
    assert len({one.question.casefold() for one in suggested}) == len(suggested) >= 8
    for one in suggested:
        answer = await (await services.chat.ask(alice, Question(one.question), streamed=False)).answer()
        assert answer.answer_status == "grounded", one.question
        assert one.document_id in {source.document_id for source in answer.sources if source.cited}, one.question
    assert await services.suggestions.suggest(alice, limit=10) == suggested
    assert await services.suggestions.suggest(alice, limit=3) == suggested[:3]
    assert await services.suggestions.suggest(bob, limit=10) == []


async def test_only_what_can_be_searched_and_reached_suggests_anything(workshop: Workshop) -> None:
    alice, bob = await workshop.user("alice"), await workshop.user("bob")
    suggest = workshop.services.suggestions.suggest
    whales = await workshop.indexed(alice, "An adult whale needs four tonnes of krill a day.")
    gone = await workshop.indexed(alice, "The melting point of gallium is so low that it melts in a warm hand.", filename="b.txt")
    await workshop.uploaded(alice, "The heron waits for the train.", filename="c.txt")
    both = await suggest(alice, limit=4)
    assert [one.document_id for one in both] == [gone.id, whales.id]

    session = await workshop.services.sessions.create(alice, title=None, document_ids=[whales.id])
    for narrowed in (
        await suggest(alice, limit=4, document_ids=(whales.id,)),
        await suggest(alice, limit=4, session_id=session.id),
        await suggest(alice, limit=4, reach=Reach((whales.id,))),
    ):
        assert narrowed == both[1:]
    for ids, reach in (((whales.id, new_id()), Reach()), ((gone.id,), Reach((whales.id,)))):
        with pytest.raises(DocumentNotFoundError):
            await suggest(alice, limit=4, document_ids=ids, reach=reach)
    with pytest.raises(DocumentNotFoundError):
        await suggest(bob, limit=4, document_ids=(whales.id,))
    with pytest.raises(SessionNotFoundError):
        await suggest(bob, limit=4, session_id=session.id)

    await workshop.services.documents.delete(alice, gone.id)
    assert await suggest(alice, limit=4) == both[1:]
