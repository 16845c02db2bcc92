"""Whatever the API answers, no page shows a traceback: each page, each call that it makes, each way in which that can fail.

The calls are found by looking at what the pages call when they are opened and when everything on them is used, so a new call is
covered by itself. What fails when a page is opened has to be told in words as well.
``DOCENT_ALL_FAULTS=1`` goes two steps deep everywhere, and tries every fault after each step, which takes minutes; without it
the calls take turns with a few faults.
"""

import os
import sys
from collections.abc import AsyncIterator, Sequence

import pytest
from streamlit import config

from tests.support.faulty_api import FaultyApi
from tests.support.ollama import StandInOllama
from tests.support.product import Product, running_product
from tests.ui.conftest import Visiting
from tests.ui.sweep.crawl import EXCEPTION, Crawl
from tests.ui.sweep.faults import Fault, stream_faults
from tests.ui.sweep.net import caught
from tests.ui.sweep.places import Estate, Place, estate

ALL = bool(os.environ.get("DOCENT_ALL_FAULTS"))
SHORT = frozenset({"500", "{}", "HTML with 200", "breaks off", "delta with nothing", "run with nothing"})
OF_THEM = 2
"""So many of the short ones each call fails in, the next call in the next ones."""

MUST_SEE = {
    "empty chat": {"GET /api/v1/auth/me", "GET /api/v1/chat/sessions", "POST /api/v1/chat/query"},
    "conversation": {"GET /api/v1/chat/sessions/{id}/messages", "GET /api/v1/chat/documents/{id}/text", "POST /api/v1/chat/query"},
    "running answer": {"GET /api/v1/chat/sessions/{id}/messages"},
    "documents": {"GET /api/v1/chat/documents", "POST /api/v1/chat/upload", "GET /api/v1/auth/me/usage"},
    "one document": {"GET /api/v1/chat/documents/{id}", "GET /api/v1/chat/documents/{id}/text"},
    "account": {"GET /api/v1/auth/keys", "POST /api/v1/auth/keys", "GET /api/v1/auth/me/sign-ins", "PATCH /api/v1/auth/me"},
    "Services": {"GET /services/status"},
    "Users": {"GET /api/v1/users"},
    "Queue": {"GET /api/v1/admin/queue", "GET /api/v1/admin/queue/failures"},
    "Usage": {"GET /api/v1/admin/usage"},
    "Tiers": {"GET /api/v1/admin/tiers"},
    "Search index": {"GET /api/v1/admin/reindex"},
    "Events": {"GET /api/v1/admin/audit"},
}
"""Some calls of each place: were they not found, the search would be broken, and the rest of the test empty."""


@pytest.fixture(scope="module")
async def product(shared_model: StandInOllama, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    """A product that nobody else needs: everything in the administration is used, and so a tier may name no model any more."""
    folder = tmp_path_factory.mktemp("swept") / "data"
    async with running_product(folder, chat_provider="ollama", embedder="hashing", ollama_url=shared_model.url) as running:
        yield running


@pytest.fixture(scope="module")
async def owned(product: Product) -> AsyncIterator[Estate]:
    """Somebody who has everything."""
    async with estate(product) as everything:
        yield everything


def place(name: str, everything: Estate) -> Place:
    """Return the place of that name; the other names are tabs of the administration."""
    session, document = (("session", everything.session_id),), (("document", everything.document_id),)
    return {
        "empty chat": Place(name, way_in=True, depth=1),
        # What can be done with an answer is done in the conversation that has one from the beginning.
        "conversation": Place(name, query=session, depth=2 if ALL else 1),
        "running answer": Place(name, query=session, running=True, depth=0),
        "documents": Place(name, "documents", depth=2 if ALL else 1),
        "one document": Place(name, "documents", document, depth=2 if ALL else 1),
        "account": Place(name, "account", depth=2),
    }.get(name, Place(name, "admin", (("tab", name),), depth=2))


def in_turn(faults: Sequence[Fault], number: int) -> tuple[Fault, ...]:
    """Return the faults of one call among many."""
    return tuple(faults[(number * OF_THEM + place) % len(faults)] for place in range(OF_THEM))


@pytest.mark.parametrize("name", MUST_SEE)
async def test_no_call_that_fails_breaks_a_page(name: str, owned: Estate, faulty: FaultyApi, visiting: Visiting) -> None:
    # What Streamlit prints of an exception is prettier, and takes longer than the page.
    config.set_option("logger.enableRich", False)
    with caught() as net:
        crawl = Crawl(faulty, place(name, owned), lambda: visiting(faulty.url, owned.account.access_token), net)
        found = await crawl.calls()
        assert {str(call) for _, call in found} >= MUST_SEE[name]

        wrong = [f"opening, {what}" for what in await crawl.wrong_when_opened([call for path, call in found if not path])]
        if name == "running answer":
            # It is read in a thread of its own: what is wrong with it is said a moment later.
            wrong = [what for what in wrong if EXCEPTION in what]
        streamed = stream_faults(owned.session_id, owned.message_id)
        for number, (path, call) in enumerate(found):
            if path:
                way = " > ".join(map(str, path))
                faults = crawl.faults_of(call, streamed)
                faults = faults if ALL else in_turn([fault for fault in faults if fault.name in SHORT], number)
                # Some say it in the next run, or on the page that they lead to: that is looked at where each page is tested.
                wrong += [f"{way}, {what}" for what in await crawl.wrong_after(path, call, faults) if EXCEPTION in what]

    sys.stdout.write(f"\n{name}: {len(found)} calls, {crawl.looks} looks\n")
    assert wrong == [], f"{name}:\n" + "\n".join(wrong)
