"""People who use the product while somebody kills it."""

import asyncio
import random
from dataclasses import dataclass, field
from io import BytesIO

import httpx2
from docx import Document as WordDocument
from fpdf import FPDF

from tests.support.files import long_text
from tests.support.product import Account


def a_shelf() -> list[tuple[str, bytes]]:
    """Return files of several formats and sizes, no two alike."""
    plain = [(f"notes-{n}.{kind}", long_text(6 + 9 * n, f"{kind} {n}")) for n in range(4) for kind in ("md", "txt")]
    pages = [f"<h1>Page {n}</h1><p>{long_text(12, f'page {n}').decode()}</p>".encode() for n in range(3)]
    return [*plain, *((f"page-{n}.html", page) for n, page in enumerate(pages)), _a_word_file(), _a_pdf()]


def _a_word_file() -> tuple[str, bytes]:
    document, file = WordDocument(), BytesIO()
    for paragraph in long_text(20, "word").decode().split("\n\n"):
        document.add_paragraph(paragraph)
    document.save(file)
    return "word.docx", file.getvalue()


def _a_pdf() -> tuple[str, bytes]:
    pdf = FPDF()
    pdf.set_font("helvetica", size=11)
    for paragraph in long_text(20, "print").decode().split("\n\n"):
        pdf.add_page()
        pdf.multi_cell(0, 8, paragraph)
    return "print.pdf", bytes(pdf.output())


@dataclass(slots=True)
class Person:
    """Somebody who uploads, replaces and deletes without a pause, and remembers what was promised."""

    account: Account
    chance: random.Random
    shelf: list[tuple[str, bytes]]
    replaces: bool
    promised: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    asked_to_go: set[str] = field(default_factory=set)

    async def live(self) -> None:
        """Go on until cancelled."""
        while True:
            try:
                await self._do_something()
            except httpx2.TransportError:
                await asyncio.sleep(0.1)  # It is down; what was not answered was not promised.
            await asyncio.sleep(self.chance.uniform(0, 0.2))

    async def _do_something(self) -> None:
        kept = sorted(self.promised - self.asked_to_go)
        deed = self.chance.random()
        filename, data = self.chance.choice(self.shelf)
        if kept and deed < 0.2:
            document_id = self.chance.choice(kept)
            self.asked_to_go.add(document_id)
            response = await self.account.client.delete(f"/api/v1/chat/documents/{document_id}")
            if response.status_code == 204:
                self.gone.add(document_id)
        elif kept and deed < 0.4 and self.replaces:
            path = f"/api/v1/chat/documents/{self.chance.choice(kept)}/file"
            await self.account.client.put(path, files={"file": (filename, data)})
        else:
            response = await self.account.upload(filename, data)
            if response.status_code == 202:
                self.promised.add(response.json()["id"])
