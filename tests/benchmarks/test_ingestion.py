"""The benchmark of ingestion: what it uploads, the stand-in that embeds, and how its figures are told."""

import json
from collections.abc import Sequence
from itertools import starmap
from time import monotonic

import numpy as np
import pytest

from backend.adapters.embedders.ollama import OllamaEmbedder
from benchmarks.ingestion.material import pdf_of, text_of
from benchmarks.ingestion.model import DIMENSIONS, REQUEST_SECONDS, vector
from benchmarks.ingestion.promises import MB, Bystanders, Upload, of_bystanders, of_pdf, of_texts
from benchmarks.ingestion.uploading import BATCH, chunks_of, embedded_alone
from benchmarks.processes import running


def test_texts_have_their_size_and_come_out_the_same_each_time() -> None:
    assert len(text_of(20_000, 1)) == 20_000
    assert text_of(5_000, 1) == text_of(5_000, 1) != text_of(5_000, 2)


def test_a_text_has_one_vector_and_another_text_another_one() -> None:
    same, other = np.array(json.loads(vector("a text"))), np.array(json.loads(vector("another text")))

    assert same.shape == other.shape == (DIMENSIONS,)
    assert same.tolist() == json.loads(vector("a text"))
    assert abs(same @ other) < 0.5
    assert np.linalg.norm(same) == pytest.approx(1, abs=0.2)


async def test_the_stand_in_takes_its_time_for_each_request_and_text() -> None:
    async with running("benchmarks.ingestion.model", "10", "0.002") as model:
        embedder = OllamaEmbedder(f"http://127.0.0.1:{model.port}", model="nomic-embed-text")
        texts = await chunks_of(text_of(60_000, 1), "text/plain", embedder)
        begun = monotonic()
        seconds = await embedded_alone(embedder, texts)
        await embedder.aclose()

    assert len(texts) > BATCH
    assert len(texts) * 0.002 + 2 * REQUEST_SECONDS <= seconds <= monotonic() - begun


def of(*figures: float) -> list[Upload]:
    return [Upload(10, whole, 2.0, round(whole * 10 * MB), {"reading": 0.1, "whole": whole}, {}) for whole in figures]


def test_the_ratio_is_the_median_of_the_rounds_and_the_growth_the_most() -> None:
    ratio, growth = of_texts({MB: of(3.0, 5.0, 4.0)})

    assert (ratio.figure, ratio.met) == (2.0, True)
    assert (growth.figure, growth.unit, growth.met) == (50.0, "MB", True)


def test_what_others_see_is_told_of_what_they_see_while_nothing_happens() -> None:
    def seen(figures: Sequence[tuple[float, float]]) -> list[Bystanders]:
        return list(starmap(lambda me, lag: Bystanders(1.0, me, 1.0, lag, 0), figures))

    told = list(of_bystanders(seen([(10, 2), (30, 2), (20, 2)]), seen([(60, 9), (110, 8), (60, 7)])))

    assert [one.figure for one in told] == [3.0, 60.0, 4.0, 8.0]
    assert [one.met for one in told] == [True, True, False, True]


def test_parsing_is_told_as_a_share_of_the_whole() -> None:
    [share] = of_pdf(200, of(2.0, 1.0, 4.0))

    assert share.figure == pytest.approx(5.0)
    assert (share.unit, share.met) == ("%", True)


async def test_a_pdf_has_its_pages_and_their_words() -> None:
    embedder = OllamaEmbedder("http://127.0.0.1:9", model="nomic-embed-text")

    chunks = await chunks_of(pdf_of(3), "application/pdf", embedder)

    assert len(chunks) >= 9
    assert sum(map(len, chunks)) > 3 * 2_000
