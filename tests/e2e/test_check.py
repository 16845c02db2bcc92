"""``docent check``, beside a running Docent and alone."""

import re
from pathlib import Path

import pytest

from tests.support.files import long_text
from tests.support.product import run_docent, running_product

SUMMARY = re.compile(
    r"^Compared 1 owners, 2 documents, (\d+) chunks, (\d+) vectors and 2 files in \d+\.\d seconds\.$", re.MULTILINE
)


@pytest.mark.timeout(600)
async def test_check_tells_what_is_wrong_and_mends_it_beside_a_running_docent_and_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    async with running_product(folder) as product:
        async with product.account("ada") as ada:
            for number in range(2):
                uploaded = await ada.upload(f"{number}.txt", long_text(6, f"topic{number}"))
                document = await ada.settled(uploaded.json()["id"])
                assert document["status"] == "ready"
            question = "What was catalogued about topic1 3?"
            before = (await ada.ask(question)).json()["answer"]
            code, said = await run_docent(product, "check")
            assert (code, "Defects: 0" in said) == (0, True), said
            counts = SUMMARY.search(said)
            assert counts is not None, said
            assert counts[1] == counts[2] != "0"

            next(path for path in (folder / "files" / "blobs").rglob("*") if path.is_file()).unlink()
            code, said = await run_docent(product, "check", "--deep")
            assert code == 1
            assert re.search(rf"^file_missing  {ada.username}  [0-9a-f-]{{36}}  The stored file is gone\.$", said, re.MULTILINE)
            assert "Defects: 1\n" in said
            code, said = await run_docent(product, "check", "--owner", "nobody")
            assert (code, said.strip()) == (1, "There is no such user.")
            code, said = await run_docent(product, "check", "--repair", "--owner", ada.username)
            assert code == 0, said
            assert "Defects: 1, all mended\n" in said
            assert (await ada.ask(question)).json()["answer"] == before
        await product.stop()

        code, said = await run_docent(product, "check", "--repair", "--deep")
        assert (code, "Defects: 0\n" in said) == (0, True), said
