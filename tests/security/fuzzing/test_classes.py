"""Every class of bad input in every place of the API, made from its description: a new route is covered by itself.

What a schema does not allow is a 422 (what no JSON reader can read, a 400), whatever else is right. What it allows is taken,
however strange, or refused for its meaning. Nothing of what was sent comes back, and nothing is a 5xx.
Places that repeat a schema get a few classes in turn, and all of them in ``make fuzz``.
"""

import asyncio
import json
from collections.abc import Awaitable, Iterable, Iterator
from dataclasses import replace
from urllib.parse import quote, urlencode

import pytest
from httpx2 import Response

from backend.api.errors import TOKEN_PATH
from backend.main import create_app
from tests.security.fuzzing.classes import SECRET, UNREADABLE, bad_json, bad_words, good_texts
from tests.security.fuzzing.places import MARK, Operation, Place, operations, sample
from tests.security.fuzzing.sampling import Sampling
from tests.support.product import Account

# What a body needs beside what its schema requires, because of what else is in it.
BODIES = {"assist_with_sql": {"question": "How many are there?"}}
OPERATIONS = {
    each.id: replace(each, body={**each.body, **BODIES[each.id]}) if each.id in BODIES else each
    for each in operations(create_app().openapi())
}
SAMPLING = Sampling(OPERATIONS.values())
AT_ONCE = 4
OPENAI = "/v1/"
"""Under it errors have OpenAI's shape, and unknown fields are ignored: its clients send what their newest release knows."""

SCHEMAS = {("format",)}
"""Where a JSON schema goes, whose fields are the client's."""

Request = tuple[str, Awaitable[Response]]


# Not the tier of the one who sends all this.
SAMPLES = {"tier": "enterprise"}


def address(operation: Operation, place: Place | None = None, word: str = "") -> str:
    """The address of an operation with a word in one place."""
    path, query = operation.path, dict[str, str]()
    for each in operation.places:
        value = word if each is place else None
        if each.where == "path":
            fitting = SAMPLES.get(str(each.way[0])) or sample(each.schema)
            path = path.replace(f"{{{each.way[0]}}}", quote(fitting if value is None else value, safe=""))
        elif each.where == "query" and value is not None:
            query[str(each.way[0])] = value
    return f"{path}?{urlencode(query)}" if query else path


def send(
    account: Account, operation: Operation, content: bytes, to: str | None = None, header: tuple[bytes, bytes] | None = None
) -> Awaitable[Response]:
    headers = [(b"Content-Type", (operation.kind or "").encode()), *([] if header is None else [header])]
    return account.client.request(operation.method, to or address(operation), content=content, headers=headers)


def body_with(operation: Operation, place: Place, value: bytes) -> bytes:
    return json.dumps(operation.with_mark(place.way)).encode().replace(json.dumps(MARK).encode(), value)


def good_body(operation: Operation) -> bytes:
    return b"" if operation.body is None else json.dumps(operation.body).encode()


def bad_requests(account: Account, operation: Operation) -> Iterator[Request]:
    for place in operation.places:
        for name, request in _WRONG[place.where](account, operation, place):
            yield f"{place}: {name}", request


def _in_a_body(account: Account, operation: Operation, place: Place) -> Iterator[Request]:
    for name, value in SAMPLING.of(operation, place, bad_json(place)):
        yield name, send(account, operation, body_with(operation, place, value))


def _in_a_form(account: Account, operation: Operation, place: Place) -> Iterator[Request]:
    """The form of the token endpoint; what is wrong with multipart is in test_multipart.py."""
    if operation.path != TOKEN_PATH or not place.way:
        return
    for word in ("", "\0", "\ud800", SECRET, SECRET * 1000, "🐋", "\x85"):
        form = urlencode({**operation.body, place.way[0]: word}, errors="surrogatepass").encode()
        yield repr(word[:20]), send(account, operation, form)


def _in_an_address(account: Account, operation: Operation, place: Place) -> Iterator[Request]:
    for word in SAMPLING.of(operation, place, bad_words(place)):
        yield repr(word[:20]), send(account, operation, good_body(operation), address(operation, place, word))


def _in_a_header(account: Account, operation: Operation, place: Place) -> Iterator[Request]:
    for word in SAMPLING.of(operation, place, bad_words(place)):
        yield (
            repr(word[:20]),
            send(account, operation, good_body(operation), header=(str(place.way[0]).encode(), word.encode("latin-1"))),
        )


_WRONG = {"body": _in_a_body, "form": _in_a_form, "path": _in_an_address, "query": _in_an_address, "header": _in_a_header}


def strange_requests(account: Account, operation: Operation) -> Iterator[Request]:
    for place in operation.places:
        if place.where == "body" and place.schema["type"] == "string":
            for text in SAMPLING.of(operation, place, good_texts(place.schema)):
                yield f"{place}: {text[:20]!r}", send(account, operation, body_with(operation, place, json.dumps(text).encode()))
        elif place.where == "query" and place.schema["type"] == "string":
            for text in SAMPLING.of(operation, place, good_texts(place.schema)):
                yield f"{place}: {text[:20]!r}", send(account, operation, b"", address(operation, place, text))


async def wrong(requests: Iterable[Request], statuses: set[int]) -> list[str]:
    """Send them, some at once, and return what was answered otherwise, or repeats what was sent."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(name: str, request: Awaitable[Response]) -> str | None:
        async with slots:
            answer = await request
        right = answer.status_code in statuses and SECRET not in answer.text
        return None if right else f"{name}: {answer.status_code} {answer.text[:300]}"

    answers = await asyncio.gather(*(one(name, request) for name, request in requests))
    return [answer for answer in answers if answer is not None]


@pytest.mark.parametrize("name", [name for name, operation in OPERATIONS.items() if operation.places])
async def test_what_the_description_does_not_allow_is_refused_in_every_place(administrator: Account, name: str) -> None:
    operation = OPERATIONS[name]
    refusal = 400 if operation.path == TOKEN_PATH or operation.path.startswith(OPENAI) else 422

    assert await wrong(bad_requests(administrator, operation), {refusal}) == []


@pytest.mark.parametrize("name", [name for name, operation in OPERATIONS.items() if operation.kind == "application/json"])
async def test_a_body_that_nobody_can_read_is_malformed(administrator: Account, name: str) -> None:
    requests = ((each, send(administrator, OPERATIONS[name], content)) for each, content in UNREADABLE.items())

    assert await wrong(requests, {400}) == []


@pytest.mark.parametrize("name", [name for name, operation in OPERATIONS.items() if operation.places])
async def test_what_is_strange_but_allowed_is_taken_or_refused_for_its_meaning(administrator: Account, name: str) -> None:
    async def told(request: Awaitable[Response]) -> str:
        answer = await request
        problem = answer.json() if answer.status_code >= 400 else {}
        codes = [problem.get("error", problem).get("code"), *(field["type"] for field in problem.get("errors", ()))]
        return " ".join(map(str, (answer.status_code, *codes)))

    answers = {each: await told(request) for each, request in strange_requests(administrator, OPERATIONS[name])}
    meant = ("cursor_invalid", "question_too_long", "model_unknown", "context_length_exceeded", "prompt_too_long", "code_missing")
    assert {
        each: answer
        for each, answer in answers.items()
        if not answer.startswith("2") and not answer.startswith(("401", "403", "404", "409")) and not answer.endswith(meant)
    } == {}


def test_unknown_fields_are_ignored_where_openais_clients_send_them_and_nowhere_else() -> None:
    tolerant = {
        name
        for name, each in OPERATIONS.items()
        for place in each.places
        if place.schema["type"] == "object" and place.schema.get("additionalProperties") is True and place.way not in SCHEMAS
    }

    assert tolerant == {name for name, each in OPERATIONS.items() if each.path.startswith(OPENAI) and each.body is not None}


def test_every_text_list_and_number_that_is_sent_has_a_bound() -> None:
    # At the token endpoint RFC 6749 has the word; its fields are bounded by hand.
    places = [(name, place) for name, each in OPERATIONS.items() if each.path != TOKEN_PATH for place in each.places]
    bounds = {"string": {"maxLength", "format", "enum"}, "array": {"maxItems"}, "integer": {"maximum"}, "number": {"maximum"}}

    assert [
        f"{name}: {place}"
        for name, place in places
        if place.where != "form" and bounds.get(place.schema["type"], {"type"}).isdisjoint(place.schema)
    ] == []
