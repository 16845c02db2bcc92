"""How much of what was found goes into a prompt."""

from collections.abc import Sequence

from backend.rag.deduplication import Distinct

BUDGET_CHARACTERS = 4000


def within_budget(ranked: Sequence[str], *, characters: int = BUDGET_CHARACTERS) -> list[int]:
    """Return the positions of the texts that fit the budget, best first, without near duplicates of those before them.

    The best text is always taken. One that does not fit is passed over for shorter ones behind it.
    """
    taken: list[int] = []
    distinct, left = Distinct(), characters
    for position, text in enumerate(ranked):
        # In this order: of many that were found few fit, and only these are worth comparing.
        if (not taken or len(text) <= left) and distinct.keeps(text):
            taken.append(position)
            left -= len(text)
    return taken
