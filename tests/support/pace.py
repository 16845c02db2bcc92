"""How much work something is, told by processor time: the clock on the wall also counts what a busy machine does meanwhile."""

from collections.abc import Callable
from time import thread_time
from timeit import repeat

LINEAR = 30.0
"""What ``growth`` stays below where time is linear: it is about 8 then, and 64 where time is quadratic."""


def processor_seconds(work: Callable[[], object]) -> float:
    """Return the processor time of this thread that a piece of work takes: the best of three, garbage not collected meanwhile."""
    return min(repeat(work, timer=thread_time, number=1, repeat=3))


def growth(work: Callable[[int], object], size: int) -> float:
    """Return how many times the processor time of work of a size is needed for eight times as much of it."""
    return processor_seconds(lambda: work(8 * size)) / processor_seconds(lambda: work(size))
