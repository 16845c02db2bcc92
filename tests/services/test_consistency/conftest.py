"""A scene for each test."""

import pytest

from tests.services.test_consistency.scene import Scene
from tests.support.workshop import Workshop


@pytest.fixture
async def scene(workshop: Workshop) -> Scene:
    """Three owners with healthy documents."""
    workshop.services.consistency.pause_seconds = 0.05
    scene = Scene(workshop)
    for name in ("alice", "bob", "carol"):
        await scene.move_in(name)
    return scene
