"""What the model says: for each question a text of its own that everybody knows, so that "complete" can be judged."""

import random
import re
from typing import Any
from uuid import uuid4

TOKEN = re.compile(r"\bq[0-9a-f]{12}\b")
WORDS = (
    *("amber", "basin", "cedar", "delta", "ember", "fjord", "grove", "heron", "islet"),
    *("juniper", "kelp", "lagoon", "meadow", "nectar", "orchard", "pebble", "quartz", "reed"),
)
SHORTEST, LONGEST = 20, 70


def a_question(marker: str) -> tuple[str, str]:
    """Return a question about a document's marker, and the token by which its answer is known."""
    token = f"q{uuid4().hex[:12]}"
    return f"Please report on request {token}: how many grams does the object {marker} weigh according to the catalogue?", token


def whole_text(token: str) -> str:
    """Return the whole answer to the question with this token."""
    chance = random.Random(token)  # noqa: S311 - the same text each time is the point
    words = " ".join(chance.choice(WORDS) for _ in range(chance.randint(SHORTEST, LONGEST)))
    return f"The report on {token} reads {words} and ends with {token}."


def reply(request: dict[str, Any]) -> str:
    """Answer the newest question of a prompt."""
    found = TOKEN.findall(str(request["messages"][-1]["content"]))
    return whole_text(found[-1]) if found else "There is no question."
