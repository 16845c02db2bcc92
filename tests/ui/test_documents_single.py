"""One document: what was read of it, and what can be done with it."""

from tests.support.faulty_api import FaultyApi
from tests.support.pages import Visit
from tests.support.product import Account
from tests.ui.conftest import Visiting
from ui.parts.documents.preview import PART, SLACK, cut

LIST = "/api/v1/chat/documents"


async def test_its_text_is_read_part_by_part(faulty: FaultyApi, account: Account, visiting: Visiting) -> None:
    lines = [f"Line {n} says that krill number {n} <b>was</b> eaten.\n" for n in range(300)]
    document = await _ready(account, "krill.txt", "".join(lines).encode())
    visit = await _opened(visiting, faulty, account, document)
    parts = -(-len("".join(lines)) // PART)
    assert f"Part 1 of {parts}" in visit.text
    assert "All of its text is indexed." in visit.text

    said = ""
    for number in range(1, parts + 1):
        visit.app.session_state[f"part-{document}"] = number
        await visit.run()
        (shown,) = [body for body in (html.value for html in visit.app.html) if body.startswith('<div class="passage"')]
        said += shown.partition(">")[2].removesuffix("</div>")
    assert said.rstrip() == "".join(lines).rstrip().replace("<", "&lt;").replace(">", "&gt;")


async def test_it_is_renamed_asked_about_and_deleted(faulty: FaultyApi, account: Account, visiting: Visiting) -> None:
    document = await _ready(account, "krill.txt", b"Krill is eaten.")
    visit = await _opened(visiting, faulty, account, document)

    visit.app.text_input[0].set_value("Food of *whales*")
    await _click(visit, "Save")
    assert (await account.document(document))["title"] == "Food of *whales*"
    assert r"Food of \*whales\*" in visit.app.header[0].value

    faulty.refuse("POST", "/api/v1/chat/sessions", 503, "database_unavailable", "The database is not available right now.")
    await _click(visit, "Ask about this document")
    assert "The database is not available right now" in visit.app.error[0].value
    faulty.clear()
    await _click(visit, "Ask about this document")
    sessions = (await account.client.get("/api/v1/chat/sessions")).json()["items"]
    assert [session["document_ids"] for session in sessions] == [[document]]
    assert visit.app.query_params["session"] == sessions[0]["id"]

    visit = await _opened(visiting, faulty, account, document)
    await _click(visit, "Delete")
    await _click(visit, "Delete it")
    assert (await account.client.get(f"{LIST}/{document}")).status_code == 404
    assert "Nothing here yet" in visit.app.info[0].value


async def test_a_new_version_takes_its_place_or_is_refused_in_words(
    faulty: FaultyApi, account: Account, visiting: Visiting
) -> None:
    document = await _ready(account, "krill.txt", b"Krill is eaten.")
    await _ready(account, "other.txt", b"Others are eaten.")
    visit = await _opened(visiting, faulty, account, document)

    visit.app.file_uploader[0].upload("again.txt", b"Others are eaten.")
    await visit.run()
    await _click(visit, "Upload")
    assert "already uploaded" in visit.app.error[0].value

    visit.app.file_uploader[0].set_value(("new.txt", b"Krill is not eaten any more.", "text/plain"))
    await visit.run()
    await _click(visit, "Upload")
    assert (await account.settled(document))["live_version"] == 2
    await visit.run()
    assert "version 2" in visit.text


async def test_one_that_is_not_there_or_cannot_be_had_leads_back(faulty: FaultyApi, account: Account, visiting: Visiting) -> None:
    visit = await _opened(visiting, faulty, account, "00000000-0000-7000-8000-000000000000")
    assert "There is no such document" in visit.app.info[0].value
    await _click(visit, "All documents")
    assert visit.app.title[0].value == "Documents"

    document = await _ready(account, "krill.txt", b"Krill is eaten.")
    faulty.send("GET", f"{LIST}/.*/text", b"<h1>Bad gateway</h1>")
    visit = await _opened(visiting, faulty, account, document)
    assert "cannot read" in visit.app.error[0].value
    faulty.send("GET", f"{LIST}/{document}", b"<h1>Bad gateway</h1>", status=502)
    await visit.run()
    assert not visit.app.exception
    assert len(visit.app.error) == 1
    faulty.clear()
    await _click(visit, "Try again")
    assert not visit.app.error


def test_parts_meet_where_a_line_or_a_word_ends() -> None:
    assert cut("One line.\nand a few words") == len("One line.\n")
    assert cut("a few words") == len("a few ")
    assert cut("x" * 2 * SLACK) == 2 * SLACK
    assert cut("") == 0


async def _ready(account: Account, name: str, data: bytes) -> str:
    document = (await account.upload(name, data)).json()["id"]
    assert (await account.settled(document))["status"] == "ready"
    return str(document)


async def _opened(visiting: Visiting, faulty: FaultyApi, account: Account, document: str) -> Visit:
    visit = visiting(faulty.url, account.access_token)
    await visit.open("documents")
    visit.app.query_params["document"] = document
    await visit.run()
    assert not visit.app.exception, visit.app.exception
    return visit


async def _click(visit: Visit, label: str) -> None:
    next(button for button in visit.app.button if button.label == label).click()
    await visit.run()
    assert not visit.app.exception, visit.app.exception
