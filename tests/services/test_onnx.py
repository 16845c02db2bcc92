"""The product with an ONNX model from a folder."""

import asyncio
from pathlib import Path
from uuid import UUID

import pytest

from backend.core.errors import ConfigurationError, EmbedderUnusableError
from backend.services.registry import Services
from tests.conftest import ApplicationFactory, registered
from tests.support.files import a_file
from tests.support.tiny_model import write_tiny_model

PUMPS = b"The pumps are serviced within 2 years."
BREAD = b"Bread needs flour."


async def legs(services: Services, owner_id: UUID, question: str) -> tuple[str, tuple[str, ...], bool, bool]:
    found = await services.evaluation.observe(owner_id, question)
    first = found.hits[0].chunk
    return found.embedder, found.degraded, first.dense is not None, first.lexical is not None


async def test_documents_are_found_with_it_and_a_change_to_another_one_goes_on_beside(
    application: ApplicationFactory, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    write_tiny_model(models / "tiny")
    settings = {"embedder": "onnx", "embedding_model": "tiny", "onnx_models": models}
    async with application(settings=settings) as running:
        services = running.services
        owner_id = await registered(services, "alice")
        for data in (PUMPS, BREAD):
            document = await services.documents.upload(owner_id, a_file("notes.txt", data))
            await services.documents.index(owner_id, document.id)
        embedder, *found = await legs(services, owner_id, "How many years are pumps serviced?")
        assert embedder.startswith("onnx/tiny@")
        assert found == [(), True, True]

        write_tiny_model(models / "other", seed=2)
        for wrong in ("onnx/missing", "onnx/../other", "onnx"):
            with pytest.raises(EmbedderUnusableError):
                await services.reindexing.change(wrong)
        await services.reindexing.change("onnx/other")
        async with running.worker.running(alone=True):
            while not (state := await services.reindexing.state()).complete:  # noqa: ASYNC110 - the database does not say
                await asyncio.sleep(0.05)
        assert state.embedder.startswith("onnx/other@")
        assert await legs(services, owner_id, "Who needs flour?") == (state.embedder, (), True, True)

    # Its folder is taken away: words answer, and say so.
    (models / "other" / "model.onnx").rename(models / "aside.onnx")
    async with application(settings={"embedder": "auto"}) as running:
        assert await legs(running.services, owner_id, "Who needs flour?") == (state.embedder, ("dense",), False, True)
    with pytest.raises(ConfigurationError, match=r"other has no model\.onnx"):
        async with application(settings={**settings, "embedding_model": "other"}):
            pass
