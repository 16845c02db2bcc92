"""What a call takes is given back when what it did is over."""

import asyncio

import anyio

from backend.adapters.chat_models.scripted import ScriptedChatModel
from backend.api.mcp.call import Call
from backend.api.mcp.tools.asking import ASK
from backend.api.progress import Watches
from backend.core.values.user import Caller
from tests.conftest import ApplicationFactory
from tests.support.cluster import Database
from tests.worker.background import desk
from tests.worker.watching import soon


async def test_a_call_keeps_its_place_until_its_answer_is_stored(application: ApplicationFactory, database: Database) -> None:
    model = ScriptedChatModel(["one", asyncio.Event()])
    async with desk(application, database, model, limits_enabled=True) as alice:
        caller = Caller(user_id=alice.owner_id, role="user", tier="free")
        scope = anyio.CancelScope()

        async def cancel() -> None:
            await soon(asked)
            scope.cancel()

        async def asked() -> bool:
            return bool(model.prompts)

        cancelling = asyncio.create_task(cancel())
        with scope:
            await ASK(Call(caller, alice.app.services, Watches(), 1), {"question": "Tell me."})
        await cancelling
        assert await alice.db.fetchval("select status from messages where role = 'assistant'") == "stopped"
        limits = (await alice.app.services.usage.state(alice.owner_id, "free")).limits
        assert [limit.used for limit in limits if limit.name == "concurrent_streams"] == [0]
