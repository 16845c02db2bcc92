"""How much of what was found goes into a prompt."""

from collections.abc import Sequence

BUDGET_CHARACTERS = 4000


def within_budget(ranked: Sequence[str], *, characters: int = BUDGET_CHARACTERS) -> list[int]:
    """Return the positions of the texts that fit the budget, best first.

    The best text is always taken. One that does not fit is passed over for shorter ones behind it.
    """
    taken: list[int] = []
    left = characters
    for position, text in enumerate(ranked):
        if not taken or len(text) <= left:
            taken.append(position)
            left -= len(text)
    return taken
