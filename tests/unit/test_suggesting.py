"""Questions made of passages: short, plain, in the passage's language, and answered by a sentence of it."""

import pytest

from backend.rag.suggesting import LONGEST, question

GERMAN = "Der Mitgliedsbeitrag ist im Januar fällig."


@pytest.mark.parametrize(
    ("heading", "text", "language", "asked"),
    [
        ("Handbook > Visiting > 1.2 Opening hours", "The opening hours are long.", "en", "What about opening hours?"),
        ("The NASA archive", "The NASA archive is cold.", "en", "What about the NASA archive?"),
        ("IV. Fees", "Fees are low.", "en", "What about Fees?"),
        ("Contents", "Herons eat fish. Herons sleep.", "en", "What about Herons?"),
        ("Satzung > § 3 Mitgliedsbeitrag", GERMAN, "de", "Was ist mit Mitgliedsbeitrag?"),
        (None, "## Fees\n\nFees are low.", "en", "What about Fees?"),
        (None, "東京タワーは電波塔である。", "ja", "東京タワーとは何ですか？"),
        (
            "[Fees](http://evil.example) <b>\u202eof\x1b `rm`",
            "Fees evil example: http b of rm.",
            "tlh",
            "Fees (http://evil.example) b of rm?",
        ),
        ("Krill", "# Krill", "en", None),
        (None, "1 2 3", None, None),
        (None, "", "en", None),
    ],
)
def test_a_passage_is_asked_about_its_subject(heading: str | None, text: str, language: str | None, asked: str | None) -> None:
    assert question(heading, text, language) == asked


def test_a_long_heading_is_cut_at_a_word() -> None:
    heading = "about " + "whales and their krill " * 10
    asked = question(heading, heading + "is good.", None)

    assert asked is not None
    assert len(asked) <= LONGEST + 1
    assert asked.removesuffix("?").split()[-1] in {"whales", "and", "their", "krill"}


def test_what_is_said_everywhere_is_not_asked_about() -> None:
    text = "Krill is food. Krill is small. Whales are large."
    assert question(None, text, "en") == "What about Krill?"
    assert question(None, text, "en", everywhere={"krill"}) == "What about Whales?"
