"""Citations as a client meets them: the quote is what the writer of the file put there, and no marker leads nowhere."""

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from docx import Document
from reportlab.pdfgen.canvas import Canvas

from tests.api.test_streams.streaming import listen, said, stored
from tests.support.ollama import StandInOllama
from tests.support.product import Account

PAGES = (
    (
        "The harbour of Brede was dug by hand in 1604.",
        "Its mole is 912 metres long.",
        "Herring paid for the church — 3,400 barrels in the best of years.",
        "Nobody fishes there now.",
    ),
    (
        "The lamp of the tower burns rape oil.",
        "Its keeper, Frau Åse Lindqvist, counts the ships of every night.",
        "She has counted 41,207 of them.",
        "In fog a horn sounds each minute.",
    ),
)
PASSAGE = re.compile(r'<passage number="\[(\d+)\]"[^\n]*>\n(.*?)\n</passage>', re.DOTALL)


def as_text() -> bytes:
    return "\n\n".join(" ".join(page) for page in PAGES).encode()


def as_pdf() -> bytes:
    file = BytesIO()
    canvas = Canvas(file)
    for page in PAGES:
        for line, sentence in enumerate(page):
            canvas.drawString(60, 700 - 20 * line, sentence)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def as_docx() -> bytes:
    file, document = BytesIO(), Document()
    for page in PAGES:
        document.add_paragraph(" ".join(page))
    document.save(file)
    return file.getvalue()


def says(text: str, sentence: str) -> Callable[[dict[str, Any]], list[str]]:
    """Say a text letter by letter, and cite the passage that holds the sentence."""

    def reply(request: dict[str, Any]) -> list[str]:
        passages = PASSAGE.findall(str(request["messages"][-1]["content"]))
        numbers = [number for number, held in passages if sentence in " ".join(held.split())]
        return list(f"{text} [{numbers[0]}]" if numbers else f"None of {passages} says {sentence}")

    return reply


async def ready(account: Account, name: str, data: bytes) -> str:
    document = (await account.upload(name, data)).json()["id"]
    assert (await account.settled(document))["status"] == "ready"
    return str(document)


async def shown_in_place(account: Account, source: dict[str, Any], *, context: int = 0) -> dict[str, Any]:
    span = {"start": source["start"], "end": source["end"], "version": source["version"], "context": context}
    found = await account.client.get(f"/api/v1/chat/documents/{source['document_id']}/text", params=span)
    assert found.status_code == 200, found.text
    part: dict[str, Any] = found.json()
    return part


@pytest.mark.parametrize(("name", "write"), [("log.txt", as_text), ("log.pdf", as_pdf), ("log.docx", as_docx)])
async def test_a_quote_that_is_fetched_is_what_was_written_into_the_file(
    alice: Account, ollama: StandInOllama, name: str, write: Callable[[], bytes]
) -> None:
    document = await ready(alice, name, write())
    for page, sentences in enumerate(PAGES, start=1):
        # Two neighbours out of their page, said before one marker, make one quote.
        claims = [*((sentence,) for sentence in sentences), sentences[1:3]]
        for wanted in claims:
            ollama.reply = says(" ".join(wanted), wanted[0])
            answer = (await alice.ask(" ".join(sentences), document_ids=[document])).json()

            (source,) = (source for source in answer["sources"] if source["cited"])
            part = await shown_in_place(alice, source, context=20)
            assert " ".join(part["text"].split()) == " ".join(wanted)
            assert part["text"] == source["quote"]
            assert len(wanted) > 1 or part["text"] == wanted[0]
            assert source["page"] == (page if name == "log.pdf" else None)
            assert answer["answer_status"] == "grounded"
            whole = await shown_in_place(alice, {**source, "start": 0, "end": 10_000})
            around = whole["text"][max(source["start"] - 20, 0) : source["end"] + 20]
            assert part["before"] + part["text"] + part["after"] == around
            assert (len(part["before"]), part["start"]) == (min(20, source["start"]), source["start"])


MATRIX = (
    ("The mole [1] is [[1]] long [99]: 912【1】metres 【7†L3】, [[99]], [1[98]], [1, 99], [1-3], [0].", 8),
    ("Not (1), [-1], [2024] or `[97]`; but [^1], [source 1] and [١], or [Passage 96]; and [٩].", 2),
    (
        "| a [95] | b [1] |\n|--|--|\n| c | d |\n\n```\nx = [94]\n```\nLink [93](http://e.example), ![92](http://e.example/i.png)",
        3,
    ),
    ("Twice [91][1], [ [90] ] and【1, 89】. Cut [1", 3),
)
SHOWN = (
    "The mole [1] is [1] long: 912[1]metres,, [1], [1], [1],.",
    "Not (1), [-1], [2024] or `[97]`; but [1], [1] and [1], or; and.",
    "| a | b [1] |\n|--|--|\n| c | d |\n\n```\nx = [94]\n```\nLink (http://e.example), !(http://e.example/i.png)",
    "Twice [1], and[1]. Cut",
)


async def test_no_marker_that_is_invented_split_or_nested_reaches_a_client(alice: Account, ollama: StandInOllama) -> None:
    document = await ready(alice, "log.txt", " ".join(PAGES[0]).encode())
    text, expected = "\n\n".join(said for said, _ in MATRIX), "\n\n".join(SHOWN)
    for size in (1, 2, 3, 5, 8, len(text)):
        ollama.reply = [text[start : start + size] for start in range(0, len(text), size)]

        events = await listen(alice, "How long is the mole of Brede?", document_ids=[document])

        done = events[-1].data
        assert said(events) == expected
        assert done["invented_markers"] == sum(invented for _, invented in MATRIX)
        assert [source["marker"] for source in done["sources"] if source["cited"]] == [1]
        kept = await stored(alice, done["session_id"])
        assert (kept["content"], kept["sources"]) == (expected, done["sources"])


async def test_an_answer_that_cites_what_has_nothing_to_do_with_it_is_not_grounded(alice: Account, ollama: StandInOllama) -> None:
    document = await ready(alice, "log.txt", as_text())
    ollama.reply = "It is said that all of the whales of the sea eat krill, and that they are very large [1]."

    answer = (await alice.ask("How long is the mole of Brede?", document_ids=[document])).json()

    assert answer["sources"][0]["cited"]
    assert answer["answer_status"] == "not_in_documents"
