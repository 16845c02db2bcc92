"""Documents, and somebody who asks about them with a scripted model."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import pytest

from backend.adapters.chat_models.scripted import ScriptedChatModel
from backend.core.values.chat import Answer, Question
from backend.ports.chat_model import ChatModel
from backend.services.answering.pipeline import Answering
from backend.services.answering.titling import Titler
from backend.services.answering.turn import Turn
from backend.services.chat import ChatService
from backend.services.providers import Providers
from backend.services.quotas import Quotas
from tests.support.cluster import Cluster, Database
from tests.support.files import long_text
from tests.support.workshop import Workshop, open_workshop

SUBJECTS = long_text(40).decode()


@dataclass(slots=True)
class Conversation:
    """One conversation of one user."""

    workshop: Workshop
    chat: ChatService
    owner_id: UUID
    session_id: UUID

    async def begin(self, text: str, *, strict: bool | None = None) -> Turn:
        """Ask, and return the running turn."""
        question = Question(text, session_id=self.session_id, strict=strict)
        return await self.chat.ask(self.owner_id, question, streamed=True)

    async def ask(self, text: str, *, strict: bool | None = None) -> Answer:
        """Ask, and return the answer."""
        return await (await self.begin(text, strict=strict)).answer()


@dataclass(frozen=True, slots=True)
class Room:
    """Where conversations are begun."""

    workshop: Workshop

    async def conversation(self, model: ChatModel, *, documents: int = 1, pending: int = 0) -> Conversation:
        """Begin one with a new user, who has so many documents that are ready, and some that are not."""
        owner_id = await self.workshop.user()
        for number in range(documents):
            await self.workshop.indexed(owner_id, f"{number}\n\n{SUBJECTS}", filename=f"ready-{number}.txt")
        for number in range(pending):
            await self.workshop.uploaded(owner_id, f"Pending {number}", filename=f"pending-{number}.txt")
        session = await self.workshop.services.sessions.create(owner_id, title="A talk", document_ids=None)
        quotas = Quotas(Providers(model), enabled=False)
        titler = Titler(self.workshop.uow, model, enabled=False)
        answering = Answering(self.workshop.uow, self.workshop.retriever, model, quotas, titler, max_tokens=512)
        chat = ChatService(self.workshop.uow, answering, quotas)
        return Conversation(self.workshop, chat, owner_id, session.id)


@pytest.fixture(scope="package")
async def room(cluster: Cluster, shared_database: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Room]:
    """One product for all conversations."""
    async with open_workshop(cluster, shared_database, tmp_path_factory.mktemp("answering")) as workshop:
        yield Room(workshop)


def read_by(model: ScriptedChatModel, call: int) -> str:
    """Return all that the model read in a call."""
    return "\n".join(turn.content for turn in model.prompts[call].turns)
