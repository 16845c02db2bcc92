"""Whatever the API answers, no page shows a traceback: each page, each call that it makes, each way in which that can fail.

The calls are found by looking at what the pages call when they are opened and when everything on them is used, so a new call is
covered by itself.
"""

import sys
from collections.abc import AsyncIterator

import httpx2
import pytest
from streamlit import config

from tests.support.faulty_api import FaultyApi
from tests.support.product import Product
from tests.ui.conftest import Visiting
from tests.ui.sweep.crawl import Crawl, Impatience
from tests.ui.sweep.faults import stream_faults
from tests.ui.sweep.places import Estate, Place, estate

PLACES = ("empty chat", "conversation", "running answer", "documents", "account", "administration")
MUST_SEE = {
    "empty chat": {"GET /api/v1/auth/me", "GET /api/v1/chat/sessions", "POST /api/v1/chat/query"},
    "conversation": {"GET /api/v1/chat/sessions/{id}/messages", "GET /api/v1/chat/documents/{id}/text", "POST /api/v1/chat/query"},
    "running answer": {"GET /api/v1/chat/sessions/{id}/messages"},
    "documents": {"GET /api/v1/chat/documents", "POST /api/v1/chat/upload", "GET /api/v1/auth/me/usage"},
    "account": {"GET /api/v1/auth/keys", "POST /api/v1/auth/keys", "GET /api/v1/auth/me/sign-ins", "PATCH /api/v1/auth/me"},
    "administration": {"GET /services/status", "GET /api/v1/users", "GET /api/v1/admin/usage", "GET /api/v1/admin/audit"},
}
"""Some calls of each place: were they not found, the search would be broken, and the rest of the test empty."""


@pytest.fixture(scope="module")
async def owned(product: Product) -> AsyncIterator[Estate]:
    """Somebody who has everything."""
    async with estate(product) as everything:
        yield everything


@pytest.fixture
def impatience(monkeypatch: pytest.MonkeyPatch) -> Impatience:
    """Clients that give up soon where they are told to."""
    impatient = Impatience()
    # What Streamlit prints of an exception is prettier, and takes longer than the page.
    config.set_option("logger.enableRich", False)
    monkeypatch.setattr(httpx2.Client, "send", impatient.bound())
    return impatient


def place(name: str, everything: Estate) -> Place:
    views = {"documents": "documents", "account": "account", "administration": "admin"}
    opened = everything.session_id if name in {"conversation", "running answer"} else None
    # What can be done with an answer is done in the conversation that has one from the beginning.
    depth = {"empty chat": 1, "running answer": 0}.get(name, 3)
    return Place(name, views.get(name), opened, running=name == "running answer", depth=depth)


@pytest.mark.parametrize("name", PLACES)
async def test_no_call_that_fails_breaks_a_page(
    name: str, owned: Estate, faulty: FaultyApi, visiting: Visiting, impatience: Impatience
) -> None:
    crawl = Crawl(faulty, place(name, owned), lambda: visiting(faulty.url, owned.account.access_token), impatience)
    found = await crawl.calls()
    assert {str(call) for _, call in found} >= MUST_SEE[name]

    wrong = await crawl.wrong_when_opened([call for path, call in found if not path])
    wrong = [f"opening, {what}" for what in wrong]
    streamed = stream_faults(owned.session_id, owned.message_id)
    for path, call in found:
        if path:
            way = " > ".join(map(str, path))
            wrong += [f"{way}, {what}" for what in await crawl.wrong_after(path, call, crawl.faults_of(call, streamed))]

    sys.stdout.write(f"\n{name}: {len(found)} calls, {sum(len(crawl.faults_of(call, streamed)) for _, call in found)} cases\n")
    assert wrong == [], f"{name}:\n" + "\n".join(wrong)
