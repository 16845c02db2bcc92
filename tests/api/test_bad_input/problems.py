"""What an answer to bad input looks like."""

from httpx2 import Response

SECRET = "Tr0ub4dor-and-three"  # The part of a bad value that must not come back.


def assert_problem(response: Response, status: int, code: str) -> None:
    assert (response.status_code, response.json().get("code")) == (status, code), response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert {"type", "title", "status", "detail", "code", "request_id"} <= set(problem)
    assert (problem["status"], problem["request_id"]) == (status, response.headers["x-request-id"])
    assert SECRET not in response.text
