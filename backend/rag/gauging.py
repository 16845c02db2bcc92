"""How far the estimate of tokens is off for a model."""

from collections import OrderedDict
from typing import Final

_MOST: Final = 4.0
_FORGETTING: Final = 0.1
_KEPT: Final = 4096


class TokenGauge:
    """Learns from what providers count how many of their tokens one estimated token is, for each ``of``: somebody's use of a model.

    Kept apart by owner, or one whose texts are unusual would shrink everybody's window.

    It errs towards safety: a prompt that was more tokens than estimated counts at once and is forgotten slowly, and one that was
    fewer never makes a later estimate smaller (a provider may leave out what it had in its cache). It stays between 1 and 4: an
    estimate falls short by a factor of four at the very worst.
    """

    def __init__(self) -> None:
        self._ratios: OrderedDict[str, float] = OrderedDict()

    def ratio(self, of: str) -> float:
        """Return by what to multiply an estimate."""
        return self._ratios.get(of, 1.0)

    def note(self, of: str, *, estimate: int, counted: int | None) -> None:
        """Learn from one prompt: what was estimated (without the ratio), and what the provider counted, if it told."""
        if counted is None or counted <= 0 or estimate <= 0:
            return
        seen = min(max(counted / estimate, 1.0), _MOST)
        before = self.ratio(of)
        after = seen if seen >= before else before + _FORGETTING * (seen - before)
        if after > 1.0:
            self._ratios[of] = after
            self._ratios.move_to_end(of)
            if len(self._ratios) > _KEPT:
                self._ratios.popitem(last=False)
