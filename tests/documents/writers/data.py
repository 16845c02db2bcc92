"""JSON, JSON lines and notebooks."""

import json

from tests.documents.real_file import FAMILY, HEBREW, JAPANESE, KEEPER, ROWS, SENTENCES, RealFile, Writers, facts, facts_of_rows

RECORDS = [dict(zip(ROWS[0], row, strict=True)) for row in ROWS[1:]]


def document() -> RealFile:
    value = {"log": {"title": KEEPER, "lines": "one\ntwo", "pages": 1.50}, "ships": RECORDS, "sentences": SENTENCES}
    rows = tuple(facts(*(f"ships: {fact.text}" for fact in facts_of_rows(labelled=True))))
    texts = facts(f"log.title: {KEEPER}", "one\ntwo", "log.pages: 1.5", *SENTENCES)
    return RealFile("log.json", json.dumps(value, indent=2).encode(), (*texts, *rows))  # With \u escapes, also of emoji.


def lines() -> RealFile:
    data = "\r\n".join(json.dumps(record, ensure_ascii=False) for record in [*RECORDS, {"text": HEBREW}])
    return RealFile("log.jsonl", data.encode(), (*facts_of_rows(labelled=True), *facts(f"text: {HEBREW}")))


def cut() -> RealFile:
    data = json.dumps({"title": KEEPER, "rest": [JAPANESE]}, ensure_ascii=False).encode()[:-2]
    return RealFile("cut.json", data, facts(KEEPER, JAPANESE))


def notebook() -> RealFile:
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": [f"# {KEEPER}\n", FAMILY]},
        {
            "cell_type": "code", "metadata": {}, "execution_count": 1, "source": "for ship in ships:\n    print(ship)",
            "outputs": [
                {"output_type": "stream", "name": "stdout", "text": ["Anna 🚢\n", "Berta\n"]},
                {"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo=", "text/plain": ["<Figure 1>"]}},
            ],
        },
        {"cell_type": "raw", "metadata": {}, "source": HEBREW},
    ]  # fmt: skip
    book = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    found = facts(f"# {KEEPER}\n{FAMILY}", "for ship in ships:\n    print(ship)", "Anna 🚢\nBerta", "<Figure 1>", HEBREW)
    return RealFile("log.ipynb", json.dumps(book).encode(), found)


FILES: Writers = {"json": document, "jsonl": lines, "json that is cut": cut, "ipynb": notebook}
