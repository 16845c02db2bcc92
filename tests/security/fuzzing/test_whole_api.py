"""Schemathesis over the whole API, as an administrator and as somebody else.

Every answer is checked against the API's own description: status, content type, schema, headers, that good input is taken and bad
input is refused, and that nothing deleted comes back. The server is the same process afterwards and has logged no defect.
"""

import itertools
import os
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.security.fuzzing.campaign import EVERYTHING, RANDOM, Campaign, Person, fuzz
from tests.security.fuzzing.conftest import a_product
from tests.support.administrator import administrator
from tests.support.files import WHALES
from tests.support.product import Account, Product

FUZZ_SECONDS = float(os.environ.get("DOCENT_FUZZ_SECONDS", "0"))
SEED = 20_261
EXAMPLES = 3
CASES = 1000


@pytest.fixture(scope="module")
async def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    """A product that nobody else needs: what an administrator does at random ends accounts."""
    async with a_product(tmp_path_factory.mktemp("fuzzed")) as running:
        yield running


async def settled(account: Account) -> Person:
    """Give somebody a document and a conversation."""
    document = (await account.upload("whales.md", WHALES)).json()["id"]
    await account.settled(document)
    (await account.ask("What do whales eat?")).raise_for_status()
    return Person(account.username, (await account.client.get("/api/v1/auth/me")).json()["id"])


async def people(product: Product) -> AsyncIterator[Person]:
    """Yield an administrator, and then somebody else: what the first one does at random may end any account that is there."""
    async with administrator(product) as admin:
        yield await settled(admin)
    async with product.account("newcomer") as newcomer:
        yield await settled(newcomer)


async def assert_unharmed(product: Product, *campaigns: Campaign) -> None:
    for campaign in campaigns:
        assert campaign.failures == [], campaign.output
    assert product.process.returncode is None
    async with product.client() as client:
        assert (await client.get("/ready")).json()["status"] == "ready"
    assert [line for line in product.lines if "Traceback" in line or "request_failed" in line] == []


@pytest.mark.timeout(900)
async def test_the_whole_api_keeps_what_its_description_promises(fuzzed: Product, tmp_path: Path) -> None:
    before = fuzzed.process.pid
    plans = zip(itertools.count(SEED), (EVERYTHING, RANDOM), strict=False)
    campaigns = [
        await fuzz(fuzzed, person, tmp_path, seed=seed, examples=EXAMPLES, phases=phases)
        async for person in people(fuzzed)
        for seed, phases in itertools.islice(plans, 1)
    ]

    print("", *campaigns, sep="\n")  # noqa: T201 - the number of cases
    await assert_unharmed(fuzzed, *campaigns)
    assert fuzzed.process.pid == before
    assert [campaign.untested for campaign in campaigns] == [0, 0]
    assert sum(campaign.cases for campaign in campaigns) >= CASES


@pytest.mark.skipif(not FUZZ_SECONDS, reason="runs for as long as DOCENT_FUZZ_SECONDS says")
@pytest.mark.timeout(FUZZ_SECONDS + 300)
async def test_it_goes_on_for_as_long_as_one_likes(fuzzed: Product, tmp_path: Path) -> None:
    async for person in people(fuzzed):
        seed = random.SystemRandom().randrange(2**32)
        campaign = await fuzz(fuzzed, person, tmp_path, seed=seed, examples=50, phases=RANDOM, seconds=FUZZ_SECONDS / 2)
        print(f"\n{campaign}, with the seed {seed}")  # noqa: T201 - what it takes to see it again
        await assert_unharmed(fuzzed, campaign)
