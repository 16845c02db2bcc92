"""The check of all logs finds what it is there to find, and the product's last net takes it out."""

from pathlib import Path
from uuid import uuid4

import pytest

from backend.core.logging import masked
from backend.core.opaque_tokens import OpaqueToken
from tests.conftest import pytest_runtest_makereport
from tests.support.leaks import Confidences, assert_nothing_leaked, leaks

KEY = OpaqueToken.make("dk", uuid4()).text
ACCESS = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJ3aG9ldmVyIn0.c2lnbmF0dXJlLW9mLWl0"
SIGN_IN = OpaqueToken.make("ds", uuid4()).text


@pytest.mark.parametrize("secret", [KEY, ACCESS, SIGN_IN, "correct horse battery"], ids=["key", "access", "sign-in", "password"])
def test_a_planted_secret_is_found_in_its_line(secret: str) -> None:
    assert leaks(f'{{"event": "fine"}}\n{{"event": "asked", "with": "{secret}"}}\n') == [
        f'{{"event": "asked", "with": "{secret}"}}'
    ]


def test_a_line_with_what_a_process_was_told_fails_its_test_whether_it_is_its_own_or_a_servers(tmp_path: Path) -> None:
    confided = Confidences()
    confided.note_file(b"short\nA sentence that nobody else would write.\n")
    environment = {"OPENAI_API_KEY": "the-providers", "REDIS_URL": "redis://:open-sesame@host", "DATA_DIR": str(tmp_path)}
    (tmp_path / "logs").mkdir()
    (tmp_path / "secret_key").write_text("made-at-the-first-start\n")
    assert_nothing_leaked(["all is well\n"], environment, confided)

    for leak in ("the-providers", "open-sesame", "made-at-the-first-start", "A sentence that nobody else would write."):
        with pytest.raises(AssertionError):
            assert_nothing_leaked(["all is well\n", f"it said {leak}\n"], environment, confided)
        (tmp_path / "logs" / "chroma.log").write_text(f"it said {leak}\n")
        with pytest.raises(AssertionError):
            assert_nothing_leaked([], environment, confided)
        (tmp_path / "logs" / "chroma.log").unlink()


def test_a_test_fails_that_logs_a_secret() -> None:
    def report(said: str) -> pytest.TestReport:
        found = pytest.TestReport("a test", ("a", 1, "a test"), {}, "passed", None, "call", sections=[("Captured log call", said)])
        judging = pytest_runtest_makereport()
        next(judging)
        with pytest.raises(StopIteration) as judged:
            judging.send(found)
        judgement: pytest.TestReport = judged.value.value
        return judgement

    assert report("signed in").passed
    assert report(f"signed in with {ACCESS}").failed


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        (f"Authorization: Bearer {ACCESS}", "Authorization: Bearer ***"),
        (f"made {KEY} for them", "made dk_*** for them"),
        (f'{{"cookie": "{SIGN_IN}"}}', '{"cookie": "ds_***"}'),
        (f"token={ACCESS}&x", "token=***&x"),
        ("cannot reach postgresql://docent:hunter2!@db:5432/docent", "cannot reach postgresql://docent:***@db:5432/docent"),
        ("redis://:open-sesame@cache:6379/0 is down", "redis://:***@cache:6379/0 is down"),
        ("Incorrect API key provided: sk-proj-0123456789abcdef", "Incorrect API key provided: sk-***"),
        ("http://127.0.0.1:8000 asks me@example.com", "http://127.0.0.1:8000 asks me@example.com"),
        ("document 01a20539-7b51-7640-89f1-3c9de2ae1f4e is ready", "document 01a20539-7b51-7640-89f1-3c9de2ae1f4e is ready"),
    ],
    # The credentials are others in each process, and all processes of a run have to agree on the names.
    ids=["bearer", "key", "sign-in", "token", "database", "redis", "provider", "address", "id"],
)
def test_the_last_net_takes_credentials_out_of_a_line_and_leaves_the_rest(line: str, kept: str) -> None:
    assert masked(line) == kept


def test_what_people_write_is_remembered_where_a_log_could_not_have_it_from_elsewhere() -> None:
    confided = Confidences()
    for text in ("hello", "aaaaaaaaaaaaaaaa aaaaaaaaaa", "identifierwithoutablank", "Which whales eat krill?"):
        confided.note(text)

    assert confided.texts == {"Which whales eat krill?"}
