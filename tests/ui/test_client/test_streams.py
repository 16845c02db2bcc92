"""Files and events, which come and go piece by piece."""

import asyncio
import io
import json

import pytest
from aiohttp import web

from tests.support.faulty_api import Answer, FaultyApi
from tests.ui.test_client.calling import THING, eventually, refused
from ui.client import Api
from ui.client.reading import lines


class Watched(io.BytesIO):
    """A file that remembers how much of it was read at once."""

    largest = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.largest = max(self.largest, size if size is not None and size >= 0 else 1 << 30)
        return super().read(size)


async def test_files_are_sent_and_fetched_piece_by_piece_in_several_threads(server: FaultyApi, api: Api) -> None:
    async def counted(request: web.Request) -> web.Response:
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        return web.json_response({"filename": file.filename, "size": len(file.file.read()), "title": form.get("title")})

    server.answer("POST", "/api/v1/chat/upload", counted)
    files = [Watched(b"x" * 3_000_000) for _ in range(4)]
    made = await asyncio.gather(*(asyncio.to_thread(api.upload, f'n "{n}" é.txt', file) for n, file in enumerate(files)))

    assert [document["size"] for document in made] == [3_000_000] * 4
    assert max(file.largest for file in files) <= 1 << 16
    assert (await asyncio.to_thread(lambda: api.upload("a", b"b", title="T")))["title"] == "T"

    server.answer("GET", THING, eventually(b"a" * 100_000, b"b" * 100_000, content_type="application/pdf"))
    assert await asyncio.to_thread(api.download, "/thing") == b"a" * 100_000 + b"b" * 100_000
    server.refuse("GET", THING, 404, "document_not_found", "Gone.")
    assert (await refused(api.download, "/thing")).code == "document_not_found"


async def test_events_come_whole_whatever_is_in_them_and_how_they_are_cut(server: FaultyApi, api: Api) -> None:
    text = json.dumps({"text": "a\u2028b\x85c é"}, ensure_ascii=False).encode()
    stream = b": alive\n\nid: 1\nevent: delta\ndata: " + text + b"\n\n"
    server.answer("*", THING, eventually(*(stream[n : n + 1] for n in range(len(stream)))))

    for told in (api.stream("/thing", {}), api.follow("/thing", "0")):
        found = await asyncio.to_thread(list, told)
        assert [(event.name, event.data) for event in found] == [("delta", {"text": "a\u2028b\x85c é"})]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (eventually(b"event: run\ndata: {}\n\n", cut=True), "unreachable"),
        (eventually(b"event: run\ndata: {\n\n"), "unreadable"),
        (eventually(b"event: run\ndata: [1]\n\n"), "unreadable"),
        (eventually(b"<html>", content_type="text/html"), "unreadable"),
        (eventually(b'{"code": "session_busy", "detail": "Busy."}', status=409, content_type="application/json"), "session_busy"),
        (eventually(b"", status=302), "http_302"),
    ],
    ids=["cut", "no JSON", "no object", "HTML", "refused", "redirect"],
)
async def test_a_stream_that_fails_says_so(server: FaultyApi, api: Api, answer: Answer, code: str) -> None:
    server.answer("*", THING, answer)

    assert (await refused(lambda: list(api.stream("/thing", {})))).code == code
    assert (await refused(lambda: list(api.follow("/thing")))).code == code


def test_lines_end_where_events_say() -> None:
    assert list(lines([b"a\r", b"\nb\rc\n\nd"])) == ["a", "b", "c", ""]
