"""Whether something grows, told from noisy samples."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import ceil, floor, nan, sqrt
from statistics import median

_SURE = 1.96


@dataclass(frozen=True, slots=True)
class Trend:
    """A slope, and between which slopes it is with a probability of 95 %."""

    slope: float
    lowest: float
    highest: float


def trend(points: Sequence[tuple[float, float]]) -> Trend:
    """Return the median of the slopes between all pairs of points, which single outliers do not move.

    Not a number, and between anything, where there are less than two points.

    Source: Theil 1950; Sen 1968 for the interval, which follows from the variance of Kendall's rank correlation.
    """
    slopes = sorted((y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in combinations(sorted(points), 2) if x2 > x1)
    if not slopes:
        return Trend(nan, float("-inf"), float("inf"))
    n = len(points)
    reach = _SURE * sqrt(n * (n - 1) * (2 * n + 5) / 18)
    lower, upper = floor((len(slopes) - reach) / 2), ceil((len(slopes) + reach) / 2)
    return Trend(
        median(slopes),
        slopes[lower] if lower >= 0 else float("-inf"),
        slopes[upper] if upper < len(slopes) else float("inf"),
    )
