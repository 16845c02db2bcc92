"""What the screenshots show: documents as people have them, and a model whose answers rest on them."""

import io
import re
from typing import Any

from docx import Document
from fpdf import FPDF

from examples.render import SOURCE, render

AGREEMENT = """Supply agreement: Lindenhof Observatory and Halden Optics

1. Delivery
Halden Optics delivers the secondary mirror no later than 30 September 2026, packed in dry nitrogen.
For each full week of delay the price is reduced by 1.5 percent, at most by 9 percent.

2. Price and payment
The price is 86,400 euros without tax. A third is due on signature, a third on delivery, and the rest after acceptance.

3. Acceptance
The observatory measures the surface within 21 days. A wavefront error of more than 30 nanometres is a defect.

4. Termination
Either party may terminate in writing with a notice of six weeks to the end of a month.
"""
PAPER = """Seeing at Lindenhof, 2019 to 2025

Abstract. We report 1,412 nights of seeing measured with a differential image motion monitor. The median is 1.34 arcseconds.

Results. The best quarter of all nights is below 0.98 arcseconds. Seeing is best in February and worst in August. Opening the dome
two hours before sunset improves the median by 0.11 arcseconds, because the air inside is as cold as the air outside by then.
"""
QUESTIONS = {
    "What happens if the mirror is delivered late?": (
        "Each full week of delay **reduces the price by 1.5 percent**, but by no more than 9 percent {reduced by 1.5 percent}.\n\n"
        "The date that counts is 30 September 2026 {no later than 30 September}. Until the mirror is there, the second third of "
        "the price is not due {A third is due on signature}."
    ),
    "How can we improve the seeing?": (
        "Open the dome **two hours before sunset**: that improves the median by 0.11 arcseconds, because the air inside is then as "
        "cold as the air outside {two hours before sunset}."
    ),
    "Which number do I call in an emergency?": (
        "Call **extension 555** from any house telephone. It rings at the desk and in the dome "
        "{In an emergency call extension 555}."
    ),
}


def documents() -> dict[str, bytes]:
    """Return the files by name; the last cannot be read."""
    paper = FPDF()
    paper.add_page()
    paper.set_font("helvetica", size=11)
    paper.multi_cell(0, 6, PAPER)
    agreement = Document()
    for line in AGREEMENT.splitlines():
        if line:
            agreement.add_paragraph(line, style="Heading 1" if re.match(r"\d\. ", line) else None)
    written = io.BytesIO()
    agreement.save(written)
    return {
        "Visitor and staff handbook.pdf": render(SOURCE.read_text(encoding="utf-8")),
        "Supply agreement.docx": written.getvalue(),
        "Seeing at Lindenhof.pdf": bytes(paper.output()),
        "Scan of the guest book.pdf": b"%PDF-1.7\nthe transfer broke off here",
    }


def reply(request: dict[str, Any]) -> str:
    """Answer one of the questions from the passages of the prompt: ``{words}`` becomes the marker of the passage that has them."""
    messages = [str(message.get("content", "")) for message in request["messages"]]
    text = next(
        (said for question, said in QUESTIONS.items() if question in messages[-1]), "I do not know: the documents do not say."
    )
    prompt = "\n".join(messages)
    return re.sub(r" \{([^}]+)\}", lambda found: _marker(prompt, found[1]), text)


def _marker(prompt: str, words: str) -> str:
    """Return the marker of the passage that has these words, however its lines are broken; nothing if there is none."""
    at = re.search(r"\s+".join(map(re.escape, words.split())), prompt)
    markers = re.findall(r"\[(\d{1,3})\]", prompt[: at.start()]) if at else []
    return f" [{markers[-1]}]" if markers else ""
