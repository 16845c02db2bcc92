"""Files of every format that is read here, written by other libraries: all of their text is found again, on the right page."""

from pathlib import PurePath

import pytest

from backend.adapters.document_parsers.formats import BY_EXTENSION
from backend.adapters.document_parsers.sandbox import SandboxedDocumentParser
from backend.ports.document_parser import ParsedDocument
from tests.documents.real_file import Fact
from tests.documents.writers import FILES
from tests.support.files import in_pieces

PARSER = SandboxedDocumentParser(timeout_seconds=30)


def place_of(fact: Fact, parsed: ParsedDocument) -> str:
    """Return the text in which the fact has to be."""
    if fact.page is None:
        return parsed.text
    (page,) = (page for page in parsed.pages if page.number == fact.page)
    return parsed.text[page.start : page.end]


def with_single_spaces(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("name", FILES)
async def test_all_text_is_found_again_on_the_right_page(name: str) -> None:
    file = FILES[name]()
    media_type = PARSER.media_type(file.filename, file.data[:8192])

    parsed = await PARSER.parse(in_pieces(file.data), media_type)

    seen = (lambda text: text) if file.exact else with_single_spaces
    missing = [fact for fact in file.facts if seen(fact.text) not in seen(place_of(fact, parsed))]
    assert missing == [], parsed.text
    assert "\r" not in parsed.text
    assert all(parsed.text[heading.start :].strip() for heading in parsed.headings)


def test_every_kind_of_document_is_among_them() -> None:
    written = {BY_EXTENSION[PurePath(FILES[name]().filename).suffix].media_type for name in FILES}

    assert {row.media_type for row in BY_EXTENSION.values()} == written
