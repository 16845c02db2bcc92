"""docs/recipes/curl.md, pasted into a shell."""

import json
import re
import shutil
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.product import Product
from tests.support.recipes import RECIPES, blocks, followed

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@pytest.fixture(scope="module")
async def printed(product: Product, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    somebody = f"grace-{uuid4().hex[:12]}"
    return await followed("curl.md", product.url, tmp_path_factory.mktemp("curl"), replacing={"grace-hopper": somebody})


def test_every_block_of_the_page_was_run(printed: list[str]) -> None:
    assert len(printed) == len(blocks("curl.md")) == 18


def test_the_account_is_opened_and_signed_in(printed: list[str]) -> None:
    registered, me = json.loads(printed[1]), json.loads(printed[2])

    assert registered == me
    assert me["username"].startswith("grace-")


def test_the_document_becomes_ready(printed: list[str]) -> None:
    states = [json.loads(data)["status"] for data in re.findall(r"^data: (.*)$", printed[4], re.MULTILINE)]

    assert states[-1] == "ready"


def test_answers_come_whole_and_as_a_stream_in_one_conversation(printed: list[str]) -> None:
    answer = json.loads(printed[5])
    events = dict(re.findall(r"^event: (\w+)\n.*\ndata: (.*)$", printed[6], re.MULTILINE))

    assert answer["status"] == "complete"
    assert answer["sources"]
    assert [*events][:1] + [*events][-1:] == ["run", "done"]
    assert json.loads(events["run"])["session_id"] == answer["session_id"]


def test_a_hit_is_the_stored_text_at_its_place(printed: list[str]) -> None:
    [hit] = json.loads(printed[7])["hits"]

    assert json.loads(printed[8])["text"] == hit["quote"]


def test_the_conversation_is_listed_renamed_read_and_taken_along(printed: list[str]) -> None:
    listed, renamed, messages = (json.loads(text) for text in printed[9:12])

    assert [session["id"] for session in listed["items"]] == [renamed["id"]]
    assert renamed["title"] == "Emergencies"
    assert [message["role"] for message in messages["items"]] == ["user", "assistant"] * 2
    assert "# Emergencies" in printed[12]


def test_a_key_does_what_its_scopes_say_until_it_is_revoked(printed: list[str]) -> None:
    status, refused = printed[15].splitlines()

    assert len(json.loads(printed[13])["items"]) == 1
    assert json.loads(printed[14])["code"] == "scope_missing"
    assert (status, json.loads(refused)["code"]) == ("204", "token_invalid")


def test_everything_is_taken_along_and_the_sign_in_ends(printed: list[str]) -> None:
    deleted, signed_out, refused = printed[17].splitlines()

    assert "documents.json" in printed[16]
    assert (deleted, signed_out, json.loads(refused)["code"]) == ("204", "204", "token_invalid")


def test_the_index_lists_every_recipe() -> None:
    index = (RECIPES / "README.md").read_text(encoding="utf-8")
    pages = {page.name for page in Path(RECIPES).glob("*.md")} - {"README.md"}

    assert set(re.findall(r"^\| \[([\w-]+\.md)\]\(\1\) \|", index, re.MULTILINE)) == pages
