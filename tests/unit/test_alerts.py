"""The example of alerts asks for what there is to be asked for."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus-alerts.yml"
NAME = re.compile(r"\bdocent_[a-z_]+")
SUFFIX = re.compile(r"_(bucket|count|sum)$")


def test_every_metric_of_the_alerts_is_one_that_is_measured_and_documented() -> None:
    measured = {
        name
        for source in ("core/metrics.py", "services/metrics.py")
        for name in re.findall(r'"(docent_[a-z_]+)"', (ROOT / "backend" / source).read_text(encoding="utf-8"))
    }
    documented = set(NAME.findall((ROOT / "docs" / "operations.md").read_text(encoding="utf-8").partition("## Measurements")[2]))

    assert {SUFFIX.sub("", name) for name in NAME.findall(RULES.read_text(encoding="utf-8"))} <= measured
    assert measured <= documented | {"docent_build_info"}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian: apt install prometheus)")
def test_promtool_takes_the_alerts() -> None:
    checked = subprocess.run(["promtool", "check", "rules", str(RULES)], capture_output=True, text=True, check=False, timeout=60)

    assert (checked.returncode, checked.stderr) == (0, ""), checked.stdout
    assert "9 rules found" in checked.stdout
