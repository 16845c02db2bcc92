"""docs/routes.md leads to routes that there are."""

import re
from pathlib import Path

from backend.main import create_app

PAGE = (Path(__file__).parents[2] / "docs" / "routes.md").read_text(encoding="utf-8")
CALL = re.compile(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^`\s]*)`")


def test_every_route_of_ours_on_the_page_exists() -> None:
    rows = [line.strip("|").split(" | ") for line in PAGE.splitlines() if line.startswith("| `")]
    described = create_app().openapi()["paths"]
    ours = {f"{method.upper()} {path}" for path, methods in described.items() for method in methods}
    # In the first column stand the others' paths, which may look like ours.
    named = {call for row in rows for cell in row[1:] for call in CALL.findall(cell)}

    assert len(rows) > 50
    assert all(CALL.findall(row[0]) and CALL.findall(row[1]) for row in rows)
    assert named - ours == set()
