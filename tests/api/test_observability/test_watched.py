"""Requests that can be followed through all processes, and secrets that cannot be read anywhere."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.api.test_observability.watching import (
    ASKED,
    BROKEN,
    CALLER,
    DOCUMENT,
    LATER,
    PROVIDER_KEY,
    QUESTION,
    QUEUED,
    REPLY,
    TRACE,
    UPLOADED,
    Heard,
    watched,
)
from tests.support.collector import Seen
from tests.support.leaks import assert_nothing_leaked, leaks

SERVER, CLIENT, CONSUMER = 2, 3, 5
"""Kinds of spans, as the protocol numbers them."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def heard(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Heard]:
    yield await watched(tmp_path_factory.mktemp("watched"))


def test_every_request_is_a_line_with_its_route_and_whose_it_is_and_without_what_was_in_its_address(heard: Heard) -> None:
    requests = {line["request_id"]: line for line in heard.in_api if line["event"] == "request"}

    asked = requests[ASKED]
    assert (asked["method"], asked["route"], asked["status"], asked["user_id"]) == (
        "POST",
        "/api/v1/chat/query",
        200,
        heard.user_id,
    )
    assert asked["ms"] > 0
    routes = {(line["route"], line["status"]) for line in requests.values()}
    assert {("/api/v1/chat/tasks/{task_id}", 200), ("/api/v1/auth/login", 401), (None, 404)} <= routes
    assert not any(heard.task_id in str(line.get("route")) for line in requests.values())


def test_the_lines_of_a_job_have_the_id_of_the_request_that_it_came_from_in_another_process(heard: Heard) -> None:
    ready = [line for line in heard.in_worker if line["event"] == "document_ready"]
    assert [(line["request_id"], line["job"], line["document_id"], line["user_id"]) for line in ready] == [
        (UPLOADED, "index_document", heard.document_id, heard.user_id)
    ]
    failed = [line for line in heard.in_worker if line["event"] == "document_failed"]
    assert [(line["request_id"], line["job"]) for line in failed] == [(BROKEN, "index_document")]
    ended = [line for line in heard.in_worker if line["event"] == "job" and line["job"] == "answer_task"]
    assert [(line["request_id"], line["task_id"], line["outcome"]) for line in ended] == [(QUEUED, heard.task_id, "succeeded")]
    by_the_clock = [line for line in heard.in_worker if line["event"] == "looking_for_stalled_jobs"]
    assert by_the_clock
    assert {line["request_id"] for line in by_the_clock} == {f"job-{line['job_id']}" for line in by_the_clock}


def test_no_line_of_any_process_holds_a_secret_or_what_people_wrote(heard: Heard) -> None:
    told = (DOCUMENT, QUESTION, LATER, REPLY, "a planted wrong password", *heard.secrets)
    for lines in (heard.api, heard.worker):
        assert leaks("".join(lines), told) == []
        assert_nothing_leaked(lines, heard.environment, heard.confided)
    # What was looked for was there to be found.
    assert {DOCUMENT, QUESTION, LATER} <= heard.confided.texts
    assert {request.authorization for request in heard.asked_of_the_model} == {f"Bearer {PROVIDER_KEY}"}
    assert any(line["level"] == "debug" for line in heard.in_worker)
    ours = ("backend.", "uvicorn.error")
    quiet = [line for line in (*heard.in_api, *heard.in_worker) if not line["logger"].startswith(ours)]
    assert [line for line in quiet if line["level"] in {"debug", "info"}] == [], "libraries do not tell about their work"


def test_no_span_holds_what_people_wrote(heard: Heard) -> None:
    sent = heard.raw_spans.decode(errors="replace")
    assert leaks(sent, (DOCUMENT, QUESTION, LATER, REPLY, *heard.secrets)) == []


def test_a_question_is_one_trace_that_its_caller_began_and_the_model_goes_on_with(heard: Heard) -> None:
    spans = [span for span in heard.spans if span.trace == TRACE]
    by_id = {span.id: span for span in spans}

    [request] = [span for span in spans if span.kind == SERVER]
    assert (request.name, request.parent) == ("POST /api/v1/chat/query", CALLER)
    assert (request.attributes["http.response.status_code"], request.attributes["docent.request_id"]) == ("200", ASKED)
    assert [span.name for span in spans if span.id != request.id and span.parent not in by_id] == []
    [answer] = [span for span in spans if span.name == "answer"]
    assert (by_id[answer.parent], answer.attributes["docent.message_id"]) == (request, heard.message_id)
    parents = {span.name: by_id[span.parent].name for span in spans if span is not request}
    assert parents["retrieval"] == parents["answer.pack"] == parents["answer.store"] == "answer"
    assert parents["retrieval.dense"] == parents["retrieval.lexical"] == "retrieval"
    [said] = [span for span in spans if span.kind == CLIENT]
    assert (parents[said.name], said.events) == ("answer", ("first_token",))
    assert f"00-{TRACE}-{said.id}-01" in [request.traceparent for request in heard.asked_of_the_model]


def test_a_question_in_the_background_is_one_trace_over_two_processes(heard: Heard) -> None:
    [request] = [span for span in heard.spans if span.attributes.get("docent.request_id") == QUEUED and span.kind == SERVER]
    spans = [span for span in heard.spans if span.trace == request.trace]

    [job] = [span for span in spans if span.kind == CONSUMER]
    assert (job.name, job.parent) == ("job answer_task", request.id)
    assert (job.attributes["docent.task_id"], job.attributes["docent.request_id"]) == (heard.task_id, QUEUED)
    assert job.process != request.process
    [answer] = [span for span in spans if span.name == "answer"]
    assert (answer.parent, answer.process) == (job.id, job.process)
    assert {"retrieval", "retrieval.dense", "answer.store", f"chat {answer.attributes['docent.model']}"} <= names(spans)
    ids = {span.id for span in spans}
    assert [span.name for span in spans if span.parent not in ids] == [request.name]


def test_an_upload_is_one_trace_with_the_stages_of_its_indexing(heard: Heard) -> None:
    [request] = [span for span in heard.spans if span.attributes.get("docent.request_id") == UPLOADED and span.kind == SERVER]
    spans = [span for span in heard.spans if span.trace == request.trace]

    assert {"indexing.reading", "indexing.embedding", "indexing.storing", "indexing.indexing"} <= names(spans)
    [job] = [span for span in spans if span.name == "job index_document"]
    assert {span.parent for span in spans if span.name.startswith("indexing.")} == {job.id}
    assert job.attributes["docent.document_id"] == heard.document_id


def names(spans: list[Seen]) -> set[str]:
    return {span.name for span in spans}
