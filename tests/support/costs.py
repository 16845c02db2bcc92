"""What the tests cost in processor seconds, processes that they start included: ``make test ARGS="-p tests.support.costs"``.

Unlike the time on the clock it is the same on a machine that does other things too, within some per cent. The time of a process
whose parent was killed is lost, as nobody is left to wait for it.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

import pytest

MOST = 40
_TICKS = os.sysconf("SC_CLK_TCK")


def spent() -> float:
    """Return the processor seconds of this process and of all its descendants, those that ended and those that run."""
    parents: dict[int, int] = {}
    seconds: dict[int, float] = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            values = (place / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents[int(place.name)] = int(values[1])
        # utime, stime, and the same of the children that were waited for
        seconds[int(place.name)] = sum(map(int, values[11:15])) / _TICKS
    children = defaultdict(list)
    for process, parent in parents.items():
        children[parent].append(process)
    family = [os.getpid()]
    for process in family:
        family += children[process]
    return sum(seconds[process] for process in family)


class Costs:
    """Charges what was spent since the last call to the test, or to the fixture that it shares with others."""

    def __init__(self) -> None:
        """Begin with what the collection cost."""
        self.by_test: Counter[str] = Counter()
        self.by_fixture: Counter[str] = Counter()
        self._before = 0.0

    def charge(self, where: Counter[str], name: str) -> None:
        """Charge it."""
        now = spent()
        where[name] += now - self._before  # type: ignore[assignment] # Counter: its stubs know whole numbers only
        self._before = now

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self) -> None:
        """The collection, with all that it imports."""
        self.charge(self.by_fixture, "collection")

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> Iterator[None]:
        """The beginning of servers; their ends are the last test's."""
        if fixturedef.scope == "function":
            return (yield)
        self.charge(self.by_test, request.node.nodeid or "session")
        try:
            return (yield)
        finally:
            self.charge(self.by_fixture, f"{fixturedef.scope} {fixturedef.argname} {fixturedef.baseid}")

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """One test."""
        self.charge(self.by_test, nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Send what was counted to the process that prints it."""
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["costs"] = (dict(self.by_test), dict(self.by_fixture))

    def pytest_testnodedown(self, node: Any) -> None:
        """Take what one of several processes counted."""
        if costs := getattr(node, "workeroutput", {}).get("costs"):
            self.by_test.update(costs[0])
            self.by_fixture.update(costs[1])

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the sums."""
        folders: Counter[str] = Counter()
        files: Counter[str] = Counter()
        for test, seconds in self.by_test.items():
            path = test.partition("::")[0]
            files[path] += seconds
            folders[str(PurePath(*PurePath(path).parts[:2]))] += seconds
        total = sum(self.by_test.values()) + sum(self.by_fixture.values())
        terminalreporter.section(f"processor seconds: {total:.0f}")
        for title, sums in (("folders", folders), ("fixtures", self.by_fixture), ("files", files), ("tests", self.by_test)):
            terminalreporter.write_line(f"{title}: {sum(sums.values()):.0f} s")
            for name, seconds in sums.most_common(MOST):
                terminalreporter.write_line(f"{seconds:8.1f}  {name}")


def pytest_configure(config: pytest.Config) -> None:
    """Count in each process of a run."""
    config.pluginmanager.register(Costs())
