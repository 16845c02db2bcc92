from uuid import UUID

import pytest

from backend.adapters.chat_models.extractive import ExtractiveChatModel
from backend.core.errors import ModelMissingError
from backend.ports.chat_model import NOTHING_FOUND, Finish, Generation, ModelDetails, Passage, Piece, Prompt, Turn

PUMP = "The pump was built in 1987 by Acme. It is blue. It must be serviced every two years. Call a technician."
BREAD = "Bread needs flour, water and salt. The oven must be hot before the bread goes in."


def prompt(question: str, *texts: str) -> Prompt:
    passages = (
        Passage(n, UUID(int=n), UUID(int=9), "t", None, None, 0, len(text), text, 1.0) for n, text in enumerate(texts, start=1)
    )
    return Prompt((Turn("user", question),), question, tuple(passages))


async def pieces_of(asked: Prompt, *, max_tokens: int | None = None) -> list[Piece]:
    options = Generation(model="extractive", window=32_768, max_tokens=max_tokens)
    return [piece async for piece in ExtractiveChatModel().stream(asked, options)]


async def reply(question: str, *texts: str) -> str:
    return "".join(piece.text for piece in await pieces_of(prompt(question, *texts)))


async def test_it_quotes_the_sentence_that_answers_with_its_marker() -> None:
    assert await reply("How often must it be serviced?", BREAD, PUMP) == "It must be serviced every two years. [2]"


async def test_the_shape_of_the_question_decides_between_sentences_that_are_alike() -> None:
    text = "The bridge at Lund was opened to general traffic. The bridge at Lund was opened in 1931 to trains."

    assert (await reply("When was the bridge opened?", text)).endswith("The bridge at Lund was opened in 1931 to trains. [1]")


async def test_sentences_come_in_the_order_of_the_document() -> None:
    answer = await reply("Who built the pump and how often must it be serviced?", PUMP)

    assert answer == "The pump was built in 1987 by Acme. [1] It must be serviced every two years. [1]"


async def test_the_document_with_the_best_passage_comes_first_and_its_sentences_in_its_own_order() -> None:
    texts = ["The pump is serviced by Acme. Call them.", "The pump is serviced at night.", "The pump is serviced in Lund."]
    places = [(7, 500), (8, 0), (7, 100)]
    passages = tuple(
        Passage(n, UUID(int=n), UUID(int=document), "t", None, None, start, start + len(text), text, 1 / n)
        for n, (text, (document, start)) in enumerate(zip(texts, places, strict=True), start=1)
    )

    pieces = await pieces_of(Prompt((), "Who services the pump?", passages))

    said = "".join(piece.text for piece in pieces)
    assert said == "The pump is serviced in Lund. [3] The pump is serviced by Acme. [1] The pump is serviced at night. [2]"


async def test_it_says_plainly_that_it_found_nothing() -> None:
    assert await reply("What is the capital of Mongolia?", PUMP, BREAD) == NOTHING_FOUND
    assert await reply("What is the capital of Mongolia?") == NOTHING_FOUND
    assert await reply("What is it?", PUMP) == NOTHING_FOUND


async def test_numbers_and_backticks_of_the_document_cannot_pass_for_markers_or_hide_one() -> None:
    text = "The `pump uses argv[1] and\nis described elsewhere [2]."

    assert await reply("What does the pump use?", text) == "The pump uses `argv[1]` and is described elsewhere. [1]"


async def test_it_speaks_word_by_word_and_ends_once() -> None:
    pieces = await pieces_of(prompt("How often must it be serviced?", PUMP))

    assert [piece.text for piece in pieces[:3]] == ["It", " must", " be"]
    assert [piece.finish for piece in pieces if piece.finish] == [Finish("stop")]
    assert pieces[-1].finish is not None


async def test_it_keeps_to_the_length_that_was_asked_for_and_says_so() -> None:
    pieces = await pieces_of(prompt("How often must it be serviced?", PUMP), max_tokens=2)

    assert ("".join(piece.text for piece in pieces), pieces[-1].finish) == ("It must", Finish("length"))


async def test_it_is_one_model_and_no_other() -> None:
    model = ExtractiveChatModel()

    await model.check()
    assert await model.details("extractive") == ModelDetails("extractive", 32_768, capabilities=frozenset())
    with pytest.raises(ModelMissingError):
        await model.details("llama3.2:1b")
    await model.aclose()


async def test_a_heading_is_no_answer() -> None:
    assert await reply("Where is the main telescope?", "# The main telescope\n\nThe main telescope stands in the dome.") == (
        "The main telescope stands in the dome. [1]"
    )
