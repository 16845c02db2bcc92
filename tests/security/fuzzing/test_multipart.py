"""Broken and disguised uploads over the wire: what the reader of bodies refuses (test_uploads.py), the route refuses."""

import pytest

from tests.api.test_uploads import BROKEN, TYPE, body_of, file_part
from tests.support.product import Account

UPLOAD = "/api/v1/chat/upload"


async def upload(account: Account, body: bytes) -> tuple[int, str]:
    answer = await account.client.post(UPLOAD, content=body, headers={"Content-Type": TYPE})
    return answer.status_code, answer.json().get("code") or answer.json()["filename"]


async def test_a_broken_multipart_body_is_invalid_whatever_is_wrong_with_it(administrator: Account) -> None:
    answers = {name: await upload(administrator, body) for name, body in BROKEN.items()}

    assert {name: answer for name, answer in answers.items() if answer != (422, "upload_invalid")} == {}


@pytest.mark.parametrize(
    ("named", "kept"),
    [
        ('filename="../../etc/passwd.md"', "passwd.md"),
        (r'filename="C:\Windows\system32\notes.md"', "notes.md"),
        ('filename="nul\0 and\x07 bell.md"', "nul and bell.md"),
        ("filename*=UTF-8''..%2F..%2F%F0%9F%90%8B.md", "🐋.md"),
        ('filename="a%0D%0ASet-Cookie: b.md"', "aSet-Cookie: b.md"),
        ('filename="<img src=x onerror=alert(1)>.md"', "<img src=x onerror=alert(1)>.md"),
        (f'filename="{"long" * 100}.md"', ("long" * 100)[:252] + ".md"),
    ],
)
async def test_a_file_name_is_no_path_and_ends_no_header(administrator: Account, named: str, kept: str) -> None:
    body = body_of(file_part(f"# {kept}".encode(), named=named))

    assert await upload(administrator, body) == (202, kept)

    found = (await administrator.client.get("/api/v1/chat/documents", params={"limit": 1})).json()["items"][0]
    file = await administrator.client.get(f"/api/v1/chat/documents/{found['id']}/file")
    assert (file.status_code, file.text) == (200, f"# {kept}")
    assert file.headers["content-disposition"].startswith("attachment")
    assert "set-cookie" not in file.headers
