"""Files of every format on a running product: all of them is found, on its page, and quoted as it was written, now and later."""

from tests.documents.http.conftest import OTHER_MODEL
from tests.documents.http.reading import Asked, Reader, few_at_once, is_cited, is_in, reader_of
from tests.documents.real_file import Fact
from tests.support.ollama import StandInOllama
from tests.support.product import Product, run_docent

REPLACED = ("txt with crlf", "html", "csv", "json", "ipynb", "eml", "pdf", "docx", "pptx", "xlsx", "epub")


def test_formats_enough_are_here(reader: Reader) -> None:
    assert len({shelved.document["media_type"] for shelved in reader.shelf.values()}) >= 18


def test_every_document_is_ready_whole_and_without_notes(reader: Reader) -> None:
    for name, shelved in reader.shelf.items():
        document = shelved.document
        coverage = document["coverage"]
        assert (document["status"], document["error"], document["notes"]) == ("ready", None, []), name
        assert coverage["tokens_embedded"] == coverage["tokens_extracted"] > 0, name
        pages = {fact.page for fact in shelved.file.facts if fact.page is not None}
        assert pages == set() or document["pages"] == max(pages), name


async def test_every_text_is_found_again_in_what_is_stored(reader: Reader) -> None:
    texts = await reader.texts()

    facts = [(name, fact) for name, shelved in reader.shelf.items() for fact in shelved.file.facts]
    assert [(name, fact) for name, fact in facts if not is_in(fact, reader.shelf[name].file, texts[name])] == []


async def test_whoever_asks_for_a_text_is_shown_it_on_its_page(reader: Reader, answers: list[Asked]) -> None:
    texts = await reader.texts()

    assert [asked for asked in answers if asked.answer["answer_status"] != "grounded" or asked.answer["degraded"]] == []
    assert [asked for asked in answers if not is_cited(asked, reader.shelf[asked.name].file, texts[asked.name])] == []
    for asked in answers:
        has_pages = reader.shelf[asked.name].document["pages"] is not None
        assert {source["document_id"] for source in asked.sources} == {reader.shelf[asked.name].id}
        assert {source["page"] is not None for source in asked.sources} == {has_pages}, asked.name


async def test_every_quote_is_what_is_stored_at_its_place(reader: Reader, answers: list[Asked]) -> None:
    assert {source["version"] for asked in answers for source in asked.sources} == {1}
    assert await reader.untrue(source for asked in answers for source in asked.sources) == []


async def test_old_quotes_stay_and_new_ones_are_as_good_after_a_rebuild_and_another_model(
    reading_room: Product, models: StandInOllama, reader: Reader, answers: list[Asked]
) -> None:
    rebuilt, told_of_rebuild = await run_docent(reading_room, "reindex")
    changed, told_of_change = await run_docent(reading_room, "reindex", "--embedder", "ollama", "--model", OTHER_MODEL.name)
    assert (rebuilt, "Done." in told_of_rebuild) == (0, True), told_of_rebuild
    assert (changed, "every answer comes from the new vectors" in told_of_change) == (0, True), told_of_change

    models.requests.clear()
    again = await reader.ask_for((name, shelved.file.facts[0]) for name, shelved in reader.shelf.items())

    assert {each.json["model"] for each in models.requests if each.path == "/api/embed"} == {OTHER_MODEL.name}
    texts = await reader.texts()
    for asked in again:
        assert is_cited(asked, reader.shelf[asked.name].file, texts[asked.name]), asked
        assert asked.answer["degraded"] == [], asked
    assert await reader.forgotten(answers) == []
    assert await reader.untrue(source for asked in [*answers, *again] for source in asked.sources) == []
    for name, shelved in reader.shelf.items():
        document = await reader.account.document(shelved.id)
        assert (document["status"], document["coverage"]) == ("ready", shelved.document["coverage"]), name


async def test_old_quotes_stay_and_new_ones_are_of_the_new_version(reading_room: Product) -> None:
    async with reading_room.account("editor") as account:
        editor = await reader_of(account, REPLACED)
        facts = {name: Fact(shelved.file.facts[0].text) for name, shelved in editor.shelf.items()}
        texts, old = await editor.texts(), await editor.ask_for(facts.items())

        documents = await few_at_once(
            editor.replace(name, f"This is the second edition of {name}, in which all is elsewhere.\n\n{fact.text}\n")
            for name, fact in facts.items()
        )
        new = await editor.ask_for(facts.items())

        assert {(each["status"], each["version"], each["live_version"]) for each in documents} == {("ready", 2, 2)}
        assert {source["version"] for asked in new for source in asked.sources} == {2}
        for asked in new:
            assert is_cited(asked, editor.shelf[asked.name].file, await editor.text(asked.name, version=2)), asked
        assert await editor.forgotten(old) == []
        sources = [source for asked in old for source in asked.sources]
        assert {source["version"] for source in sources} == {1}
        assert await editor.untrue([*sources, *(source for asked in new for source in asked.sources)]) == []
        assert await editor.texts() == texts
        elsewhere = [{**source, "version": 2} for source in sources]
        assert await editor.untrue(elsewhere) == elsewhere, "the version decides what an old quote points to"
