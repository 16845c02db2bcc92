"""``make openapi``: docs/openapi.json, the description of the API, for those who make clients without a running server."""

import json
import sys
from pathlib import Path

from backend.core.config import Settings
from backend.main import create_app

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"


def description() -> str:
    """Return the description as it is committed; nobody's settings change it."""
    return json.dumps(create_app(Settings(_env_file=None, docs_enabled=True)).openapi(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    COMMITTED.write_text(description(), encoding="utf-8")
    sys.stdout.write(f"{COMMITTED} is written.\n")
