"""The library of Ollama: what it lists, and how models are pulled; and the command that does it."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import ollama as official
import pytest

from backend.adapters.chat_models.ollama import OllamaChatModel, OllamaLibrary
from backend.cli import models as command
from backend.core.config import Settings
from backend.core.errors import ModelMissingError, ModelUnavailableError, ModelUnknownError, PullFailedError
from backend.ports.chat_model import ModelDetails
from backend.ports.model_library import PullStep
from tests.support.ollama import CHAT_MODEL, EMBEDDING_MODEL, Fault, InstalledModel, StandInOllama
from tests.support.ollama.pulling import LAYERS
from tests.support.product import DOCENT

NEW = InstalledModel("nomic-embed-text-v2:latest", "nomic-bert", 512, 768, ("embedding",))


@pytest.fixture
async def ollama() -> AsyncIterator[StandInOllama]:
    async with StandInOllama() as server:
        server.registry.models.append(NEW)
        yield server


@pytest.fixture
async def model(ollama: StandInOllama) -> AsyncIterator[OllamaChatModel]:
    opened = OllamaChatModel(ollama.url, default_model=CHAT_MODEL.name)
    yield opened
    await opened.aclose()


@pytest.fixture
async def library(ollama: StandInOllama, model: OllamaChatModel) -> AsyncIterator[OllamaLibrary]:
    opened = OllamaLibrary(ollama.url, model.details)
    yield opened
    await opened.aclose()


def settings(ollama: StandInOllama) -> Settings:
    return Settings(ollama_url=ollama.url, chat_model=CHAT_MODEL.name, _env_file=None)


async def pulled(library: OllamaLibrary, name: str) -> list[PullStep]:
    async with aclosing(library.pull(name)) as steps:
        return [step async for step in steps]


async def test_all_models_are_listed_by_one_request_and_shown_once(
    ollama: StandInOllama, model: OllamaChatModel, library: OllamaLibrary
) -> None:
    expected = [
        ModelDetails(CHAT_MODEL.name, 8192, 1_321_098_329, frozenset({"chat", "tools"}), "llama", "1.2B", "Q8_0"),
        ModelDetails(EMBEDDING_MODEL.name, 2048, 1_321_098_329, frozenset({"embedding"}), "nomic-bert", "1.2B", "Q8_0"),
    ]
    assert await model.models() == expected
    assert await library.models() == expected
    assert await library.show("nomic-embed-text") == expected[1]

    paths = [request.path for request in ollama.requests]
    assert (paths.count("/api/tags"), paths.count("/api/show")) == (3, 2)
    with pytest.raises(ModelMissingError, match="docent models pull nothing"):
        await library.show("nothing")


async def test_a_model_that_cannot_be_shown_is_left_out_and_all_of_them_are_an_outage(
    ollama: StandInOllama, library: OllamaLibrary
) -> None:
    ollama.fail("/api/show", Fault(status=500), times=1)
    assert len(await library.models()) == 1
    other = OllamaChatModel(ollama.url, default_model=CHAT_MODEL.name)
    ollama.fail("/api/show", Fault(status=500))
    with pytest.raises(ModelUnavailableError):
        await other.models()
    await other.aclose()


async def test_a_model_is_pulled_in_layers_and_removed(ollama: StandInOllama, library: OllamaLibrary) -> None:
    steps = await pulled(library, NEW.name)

    assert [steps[0].status, steps[-1].status] == ["pulling manifest", "success"]
    ends = {step.layer: (step.completed, step.total) for step in steps if step.layer is not None}
    assert ends == {layer: (size, size) for layer, size in LAYERS.items()}
    assert NEW.name in [each.name for each in await library.models()]

    await library.remove(NEW.name)
    assert NEW.name not in [each.name for each in await library.models()]
    with pytest.raises(ModelMissingError):
        await library.remove(NEW.name)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(cut_after=3), "goes on where it was"),
        (Fault(without_done=True, cut_after=12), "goes on where it was"),
        (Fault(garbage_after=2, cut_after=4), "goes on where it was"),
        (Fault(error_after=4), "no space left on device"),
        (Fault(status=500, body={"error": "max retries exceeded"}), "max retries exceeded"),
    ],
)
async def test_what_goes_wrong_with_a_pull_is_told_and_the_next_one_goes_on(
    ollama: StandInOllama, library: OllamaLibrary, fault: Fault, said: str
) -> None:
    ollama.fail("/api/pull", fault, times=1)
    with pytest.raises(PullFailedError, match=said):
        await pulled(library, NEW.name)
    got = dict(ollama.registry.got)

    steps = await pulled(library, NEW.name)

    assert steps[-1].status == "success"
    for layer, completed in got.items():
        assert next(step for step in steps if step.layer == layer).completed == completed


async def test_a_model_that_nobody_has_and_an_ollama_that_is_not_there(ollama: StandInOllama, library: OllamaLibrary) -> None:
    with pytest.raises(ModelUnknownError, match="There is no model gpt-9 to pull"):
        await pulled(library, "gpt-9")
    async with ollama.refusing():
        for call in (pulled(library, NEW.name), library.models(), library.remove(NEW.name)):
            with pytest.raises(ModelUnavailableError, match="OLLAMA_URL"):
                await call


async def test_the_official_client_pulls_and_deletes(ollama: StandInOllama) -> None:
    async with official.AsyncClient(ollama.url) as client:
        steps = [step async for step in await client.pull(NEW.name, stream=True)]
        assert (steps[-1].status, steps[1].total) == ("success", next(iter(LAYERS.values())))
        assert (await client.delete(NEW.name)).status == "success"
        with pytest.raises(official.ResponseError, match="file does not exist"):
            [step async for step in await client.pull("gpt-9", stream=True)]


async def test_the_commands_say_what_there_is(ollama: StandInOllama, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = settings(ollama)
    long = f"hf.co/{'somebody/' * 12}model-GGUF:Q4_K_M"
    ollama.registry.models.append(InstalledModel(long, "nomic-bert", 512, 768, ("embedding",)))

    await command._pull(chosen, NEW.name)
    await command._pull(chosen, long)
    await command._list(chosen)
    await command._show(chosen, NEW.name)
    await command._remove(chosen, NEW.name)

    out, err = capsys.readouterr()
    assert "success" in err
    assert f"{NEW.name} is there." in out
    assert "1.3 GB" in out
    assert [line.split("  ")[0] for line in out.splitlines() if "GB" in line and line.startswith("hf.co/")] == [long]
    assert "embedding" in out
    assert f"{NEW.name} was removed." in out


async def test_ctrl_c_leaves_a_pull_and_the_same_command_goes_on(ollama: StandInOllama, tmp_path: Path) -> None:
    async def docent(*arguments: str) -> asyncio.subprocess.Process:
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "OLLAMA_URL": ollama.url}
        pipe = asyncio.subprocess.PIPE
        # A shell starts background jobs with SIGINT ignored, and that is inherited: the terminal's Ctrl-C would not be.
        restored = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", restored, str(DOCENT), "models", *arguments),
            env=environment,
            cwd=tmp_path,
            stdout=pipe,
            stderr=pipe,
        )

    ollama.fail("/api/pull", Fault(hang_after=4), times=1)
    pulling = await docent("pull", NEW.name)
    async with asyncio.timeout(120):
        while True:
            if ollama.registry.got.get(next(iter(LAYERS))):
                break
            await asyncio.sleep(0.05)
        pulling.send_signal(signal.SIGINT)
        _, err = await pulling.communicate()
        assert (pulling.returncode, b"Traceback" in err) == (130, False)

        again = await docent("pull", NEW.name)
        out, err = await again.communicate()
        assert (again.returncode, out.decode().strip()) == (0, f"{NEW.name} is there.")

        unknown = await docent("pull", "gpt-9")
        out, err = await unknown.communicate()
        assert (unknown.returncode, out) == (1, b"")
        assert b"There is no model gpt-9 to pull" in err
