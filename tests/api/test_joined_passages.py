"""Chunks that touch are given to the model as one passage, and a quote from it still knows where it stands."""

import re
from io import BytesIO
from itertools import pairwise

from reportlab.pdfgen.canvas import Canvas

from tests.support.files import long_text
from tests.support.ollama import StandInOllama
from tests.support.product import Account

PAGES = (
    ("The lamp of the lighthouse is lit at dusk.", "The keeper counts the ships that pass the lighthouse."),
    ("Forty-two ships passed the lighthouse that night.", "None of these ships stopped at the lighthouse."),
)
PASSAGE = re.compile(r'<passage number="\[(\d+)\]"[^\n]*>\n(.*?)\n</passage>', re.DOTALL)


def a_pdf() -> bytes:
    file = BytesIO()
    canvas = Canvas(file)
    for lines in PAGES:
        for place, line in enumerate(lines):
            canvas.drawString(72, 700 - 20 * place, line)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


async def ready(account: Account, name: str, data: bytes) -> str:
    document = (await account.upload(name, data)).json()
    assert (await account.settled(document["id"]))["status"] == "ready"
    return str(document["id"])


async def stored(account: Account, document_id: str, start: int, end: int) -> str:
    place = {"start": start, "end": end, "version": 1}
    text: str = (await account.client.get(f"/api/v1/chat/documents/{document_id}/text", params=place)).json()["text"]
    return text


async def test_a_quote_from_a_passage_over_a_page_break_names_the_page_where_it_begins(
    alice: Account, ollama: StandInOllama
) -> None:
    document_id = await ready(alice, "log.pdf", a_pdf())
    for page, lines in enumerate(PAGES, start=1):
        ollama.reply = [f"{lines[1]} [1]"]
        answer = (await alice.ask("How many ships passed the lighthouse?")).json()

        prompt = [request.json for request in ollama.requests if request.path == "/api/chat"][-1]
        (given,) = PASSAGE.findall(prompt["messages"][-1]["content"])
        assert all(line in given[1] for lines in PAGES for line in lines), "the model reads both pages as one passage"
        (source,) = answer["sources"]
        assert (source["page"], source["quote"]) == (page, lines[1])
        assert await stored(alice, document_id, source["start"], source["end"]) == source["quote"]


async def test_joined_passages_are_the_documents_own_text_within_the_budget(alice: Account, ollama: StandInOllama) -> None:
    document_id = await ready(alice, "subjects.md", long_text(20))
    ollama.reply = ["Nothing is cited."]
    chunks = (await alice.client.post("/api/v1/chat/search", json={"query": "subject property", "limit": 50})).json()["hits"]

    sources = (await alice.ask("subject property")).json()["sources"]

    for source in sources:
        assert await stored(alice, document_id, source["start"], source["end"]) == source["quote"]
    spans = sorted((source["start"], source["end"]) for source in sources)
    assert all(end + 16 < start for (_, end), (start, _) in pairwise(spans)), "what touches is joined"
    held = [chunk for chunk in chunks if any(start <= chunk["start"] and chunk["end"] <= end for start, end in spans)]
    assert len(sources) < len(held)
    assert sum(len(source["quote"]) for source in sources) <= 4000
    best = {chunk["start"]: chunk["score"] for chunk in held}
    for source in sources:
        inside = [score for start, score in best.items() if source["start"] <= start < source["end"]]
        assert abs(source["score"] - max(inside)) < 1e-3
