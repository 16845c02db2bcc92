"""What Schemathesis has to know about this API. It runs in a process of its own and gets who it is from the environment."""

import os
from typing import Any
from uuid import uuid4

import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis import AuthContext, Case, HookContext, Response
from schemathesis.core.failures import Failure

URL = os.environ["FUZZ_URL"]
USERNAME = os.environ["FUZZ_USERNAME"]
PASSWORD = os.environ["FUZZ_PASSWORD"]
USER_ID = os.environ["FUZZ_USER_ID"]

BEYOND_A_SCHEMA = {
    "cursor_invalid": "a cursor is opaque: it comes from the page before",
    "document_empty": "the length of a file is not described by OpenAPI",
    "document_type_unsupported": "what a file is shows in its bytes",
    "upload_invalid": "the order of parts and the characters of names are not described by OpenAPI",
    "resumable_without_stream": "that only a stream can be resumed is about two fields",
    "span_invalid": "that the start comes before the end is about two fields",
    "idempotency_key_reused": "that a key is new depends on the requests before",
    "question_too_long": "how much fits depends on the model",
    "message_not_an_answer": "whether a message is a question is no matter of its id",
    "model_unknown": "which models there are depends on the provider",
    "model_not_found": "the same, as OpenAI says it",
    "context_length_exceeded": "how much fits depends on the model",
    "prompt_too_long": "the same, as we say it",
    "question_missing": "that the user says something is about several messages, or about the task",
    "sql_missing": "that there is SQL to work on is about the task",
    "code_missing": "that one of two texts says something is about both",
    "format_too_deep": "how deep something is nested is not described by JSON Schema",
    "response_format_unsupported": "which models write JSON is about two fields",
    "dimensions_unsupported": "how long vectors are depends on the model",
    "input_too_long": "how much fits depends on the model",
}
"""Codes of a request that is right as far as a schema can tell, and is refused for another reason."""

UPLOADS = frozenset({"/api/v1/chat/upload", "/api/v1/chat/documents/{document_id}/file"})
TEXT = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=200)
FILES = TEXT.map(lambda text: f"# {text}\n\n{text}".encode())


@schemathesis.hook
def flatmap_body(context: HookContext, body: Any) -> st.SearchStrategy[Any]:
    """Random bytes are hardly ever a document: let every second file be one, behind the other fields as it has to be.

    Nor is a random word the name of a model.
    """
    if context.operation is not None and context.operation.path.startswith("/v1/") and isinstance(body, dict):
        return st.just(body) | st.just({**body, "model": "docent"})
    upload = context.operation is not None and context.operation.path in UPLOADS
    if upload and isinstance(body, dict) and isinstance(body.get("files"), list) and body["files"]:
        return st.just(body) | st.lists(FILES, min_size=1, max_size=3).map(lambda files: {**body, "files": files})
    if not upload or not isinstance(body, dict) or not isinstance(body.get("file"), str | bytes):
        return st.just(body)
    others = {name: value for name, value in body.items() if name != "file"}
    return st.just(body) | FILES.map(lambda file: {**others, "file": file})


@schemathesis.auth()
class SignIn:
    """Signs in, again too where the fuzzer has ended its own sign-in."""

    def get(self, case: Case[Any], context: AuthContext) -> str:
        answer = requests.post(f"{URL}/api/v1/auth/login", json={"username": USERNAME, "password": PASSWORD}, timeout=30)
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    def set(self, case: Case[Any], data: str, context: AuthContext) -> None:
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Keep an administrator from disabling, deleting or resetting the account that the fuzzing needs, or from stinting its tier."""
    if case.path_parameters and case.path_parameters.get("user_id") == USER_ID and case.method != "GET":
        case.path_parameters["user_id"] = str(uuid4())
    if case.path_parameters and case.path_parameters.get("tier") == "free" and case.method != "GET":
        case.path_parameters["tier"] = "pro"


@schemathesis.hook
def filter_failure(context: HookContext, failure: Failure, case: Case[Any], response: Response) -> bool:
    """Drop what is no failure: see the table. A body that is too large is not accepted either, whatever else is wrong with it."""
    if failure.code == "ST201":
        return "request_too_large" not in codes_of(response)
    return failure.code != "ST202" or codes_of(response).isdisjoint(BEYOND_A_SCHEMA)


def codes_of(response: Response) -> set[str]:
    """The code of a problem, and what is wrong with each field."""
    try:
        body = response.json()
    except ValueError:
        return set()
    if not isinstance(body, dict):
        return set()
    told = body.get("error", body)
    return {str(told.get("code")), *(str(field["type"]) for field in body.get("errors", ()))} if isinstance(told, dict) else set()
