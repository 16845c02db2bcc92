"""What ``/api/pull`` and ``/api/delete`` say."""

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
from aiohttp import web

from tests.support.ollama.faults import Fault
from tests.support.ollama.models import InstalledModel, ModelShelf
from tests.support.ollama.streams import cut

LAYERS = {"sha256:74701a8c35f6c8d9a4b91f3f3497643001d63e0c7a84e085bed452548fa88d45": 1_321_082_688, "sha256:966de95ca8a6": 1_429}
"""The digests of every model's layers, with their bytes."""
STEPS = 4
"""In so many steps a layer is downloaded."""


class Registry:
    """The models that can be pulled, and how far each pull has got: one that was cut goes on there."""

    def __init__(self, shelf: ModelShelf, models: Sequence[InstalledModel] = ()) -> None:
        self._shelf = shelf
        self.models = [*models]
        self.got: dict[str, int] = {}

    def install(self, model: InstalledModel) -> None:
        """Have a model from now on."""
        self._shelf.add(model)

    async def pull(self, request: web.Request, body: dict[str, Any], fault: Fault) -> web.StreamResponse:
        """Say how a model is downloaded. Pieces are the lines."""
        model = next((each for each in self.models if each.name == body.get("model")), None)
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        for at, line in enumerate(self._lines(model)):
            await asyncio.sleep(fault.interval or 0)
            if fault.hang_after == at:
                await asyncio.Event().wait()
            if fault.cut_after == at:
                cut(request)
            said = {"error": "max retries exceeded: no space left on device"} if fault.error_after == at else line
            await response.write(orjson.dumps(said) + b"\n")
            if "completed" in said:
                self.got[str(said["digest"])] = int(said["completed"])
            if "error" in said:
                break
        else:
            if model is not None and not fault.without_done:
                self._shelf.add(model)
        await response.write_eof()
        return response

    async def delete(self, request: web.Request, body: dict[str, Any], fault: Fault) -> web.StreamResponse:
        """Remove a model."""
        self._shelf.remove(self._shelf.find(body))
        return web.Response()

    def _lines(self, model: InstalledModel | None) -> list[dict[str, Any]]:
        begun: dict[str, Any] = {"status": "pulling manifest"}
        if model is None:
            return [begun, {"error": "pull model manifest: file does not exist"}]
        layers = [
            {"status": f"pulling {digest[7:19]}", "digest": digest, "total": total, "completed": total * step // STEPS}
            for digest, total in LAYERS.items()
            for step in range(STEPS + 1)
            if total * step // STEPS >= self.got.get(digest, 0)
        ]
        return [begun, *layers, *({"status": each} for each in ("verifying sha256 digest", "writing manifest", "success"))]
