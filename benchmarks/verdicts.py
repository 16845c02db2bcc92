"""What was promised, and what was measured."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Verdict:
    """A figure, and the bound that it is held to: the most that it may be, or with ``at_least`` the least."""

    what: str
    figure: float
    unit: str
    bound: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        """A figure that could not be measured (not a number) is not met."""
        return self.figure >= self.bound if self.at_least else self.figure <= self.bound

    def row(self) -> str:
        """Return it as a row of a table."""
        bound = f"{'at least' if self.at_least else 'at most'} {_number(self.bound)} {self.unit}".rstrip()
        return f"| {self.what} | {_number(self.figure)} {self.unit} | {bound} | {'met' if self.met else '**missed**'} |"


def tell(verdicts: Iterable[Verdict], file: Path | None) -> None:
    """Print them as a table, and append them to a file, one of JSON each, where one is given."""
    verdicts = list(verdicts)
    print("\n| what | measured | promised | |\n|---|---|---|---|")
    for verdict in verdicts:
        print(verdict.row())
    if file is not None:
        with file.open("a", encoding="utf-8") as lines:
            lines.writelines(json.dumps(asdict(verdict)) + "\n" for verdict in verdicts)


def told(file: Path) -> Iterator[Verdict]:
    """Yield what a file holds."""
    for line in file.read_text(encoding="utf-8").splitlines():
        yield Verdict(**json.loads(line))


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
