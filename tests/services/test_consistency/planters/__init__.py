"""One planter for each way in which a kind of defect may come about: it damages, and says what a check should find."""

from tests.services.test_consistency.planters import files, index, rows
from tests.services.test_consistency.planters.ground import PLANTERS, Ground

__all__ = ["PLANTERS", "Ground", "files", "index", "rows"]
