"""The product as its users meet it: ``docent serve`` in a process of its own, spoken to over a socket."""

import asyncio
import json
import os
import signal
import ssl
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

import httpx2

from tests.support.leaks import Confidences, assert_nothing_leaked
from tests.support.template import begun

DOCENT = Path(sys.executable).with_name("docent")
PASSWORD = "correct horse battery"
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients on loopback, which speak plain HTTP: one of their own would read all authorities each time, 45 ms of a core."""
AS_ALWAYS = httpx2.Limits(max_connections=100, max_keepalive_connections=20)
"""httpx's own: connections are kept and used again."""


@dataclass(slots=True)
class Account:
    """A registered user and a client that carries their token."""

    client: httpx2.AsyncClient
    username: str
    access_token: str
    refresh_token: str
    confided: Confidences = field(default_factory=Confidences)

    async def upload(self, filename: str, data: bytes, **fields: str) -> httpx2.Response:
        """Send a file."""
        self.confided.note_file(data)
        return await self.client.post("/api/v1/chat/upload", files={"file": (filename, data)}, data=fields)

    async def document(self, document_id: str) -> dict[str, Any]:
        """Return a document."""
        found: dict[str, Any] = (await self.client.get(f"/api/v1/chat/documents/{document_id}")).json()
        return found

    async def settled(self, document_id: str, *, within: float = 30) -> dict[str, Any]:
        """Wait until a document is ready or failed. A server that is down meanwhile is waited for."""
        deadline = monotonic() + within
        while True:
            try:
                document = await self.document(document_id)
                if document.get("status") in {"ready", "failed"}:
                    return document
            except httpx2.TransportError as error:
                document = {"status": f"server down: {error!r}"}
            assert monotonic() < deadline, f"still {document} after {within} s"
            await asyncio.sleep(0.1)

    async def ask(self, query: str, **fields: object) -> httpx2.Response:
        """Ask, and wait for the whole answer."""
        return await self.client.post("/api/v1/chat/query", json={"query": query, **fields})

    async def answered(self, query: str, **fields: object) -> dict[str, Any]:
        """Ask, and return the answer; where there is none, what was said instead is what the test fails with."""
        response = await self.ask(query, **fields)
        assert response.status_code == 200, f"{response.status_code} {response.text}"
        answer: dict[str, Any] = response.json()
        return answer


@dataclass(slots=True)
class Reachable:
    """The product at an address, and the settings that its commands want."""

    url: str
    environment: dict[str, str]
    limits: httpx2.Limits = field(default_factory=lambda: AS_ALWAYS, kw_only=True)
    confided: Confidences = field(default_factory=Confidences, kw_only=True)

    def secret_key(self) -> str:
        """What signs its tokens."""
        return self.environment.get("SECRET_KEY") or (self._folder / "secret_key").read_text(encoding="utf-8").strip()

    def database_url(self) -> str:
        """Where its database is, for the role that serves."""
        named = self.environment.get("DATABASE_URL")
        return named or str(json.loads((self._folder / "instance.json").read_text(encoding="utf-8"))["app_url"])

    @property
    def _folder(self) -> Path:
        return Path(self.environment["DATA_DIR"])

    @asynccontextmanager
    async def client(self, **headers: str) -> AsyncIterator[httpx2.AsyncClient]:
        """Yield a client without credentials."""
        settings: dict[str, Any] = {"headers": headers, "timeout": 90, "verify": NO_TLS, "limits": self.limits}
        hooks = {"request": [self.confided.note_request]}
        async with httpx2.AsyncClient(base_url=self.url, event_hooks=hooks, **settings) as client:
            yield client

    @asynccontextmanager
    async def account(self, name: str = "user", **headers: str) -> AsyncIterator[Account]:
        """Register somebody new, sign them in, and yield them."""
        username = f"{name}-{uuid4().hex[:12]}"
        async with self.client(**headers) as client:
            body = {"username": username, "email": f"{username}@example.com", "password": PASSWORD}
            (await client.post("/api/v1/auth/register", json=body)).raise_for_status()
            tokens = (await client.post("/api/v1/auth/login", json={"username": username, "password": PASSWORD})).json()
            client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
            yield Account(client, username, tokens["access_token"], tokens["refresh_token"], self.confided)


@dataclass(slots=True)
class Product(Reachable):
    """A running ``docent serve``."""

    process: Process
    lines: list[str] = field(default_factory=list)

    async def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        await self.process.wait()

    async def stop(self, *, within: float = 30) -> int:
        """End it as an operator would; return its exit code."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(within):
            return await self.process.wait()


@asynccontextmanager
async def running_product(data_dir: Path, *, ready_within: float = 180, **settings: object) -> AsyncIterator[Product]:
    """Run the product on a data folder and a free port, wait until it answers, and stop it at the end.

    Then no line that it has said may hold a secret, a token, or what people wrote.

    ``settings`` are those of the product in lower case. Nothing of the caller's environment but PATH and HOME gets through.
    """
    values = {
        "host": "127.0.0.1",
        "port": 0,
        "data_dir": data_dir,
        "ollama_url": "http://127.0.0.1:9",
        "log_level": "warning",
        # Tests are one address and poll without mercy; those of the limits switch them on.
        "limits_enabled": False,
        # Tests count what a model is asked; those of titles switch them on.
        "chat_titles": "off",
        # Another process, which only the tests of the pages need; they have theirs on a free port.
        "ui_enabled": False,
        "ui_port": 0,
        **settings,
    }
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment |= {name.upper(): str(value) for name, value in values.items()}
    if "database_url" not in settings:
        await begun(data_dir)
    # Started outside the repository, so that no .env of a developer gets in.
    process = await asyncio.create_subprocess_exec(
        str(DOCENT), "serve", stdout=PIPE, stderr=STDOUT, env=environment, cwd=data_dir.parent
    )
    lines: list[str] = []
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    reader = asyncio.create_task(_read(process, lines, address))
    try:
        async with asyncio.timeout(ready_within):
            url = await address
        product = Product(url, environment, process, lines)
        yield product
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(30):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        await reader
        # pytest shows it where a test that has a product of its own fails.
        if "PYTEST_CURRENT_TEST" in os.environ:
            sys.stdout.write("".join(lines))
    assert_nothing_leaked(lines, environment, product.confided)


async def _read(process: Process, lines: list[str], address: asyncio.Future[str]) -> None:
    assert process.stdout is not None
    while line := (await process.stdout.readline()).decode(errors="replace"):
        lines.append(line)
        if " is ready at " in line and not address.done():
            address.set_result(line.rpartition(" ")[2].strip())
    if not address.done():
        address.set_exception(AssertionError("the product did not start:\n" + "".join(lines)))


async def run_docent(product: Reachable, *arguments: str, **environment: str) -> tuple[int, str]:
    """Run another command of the product with the settings of a running one; return its exit code and what it printed."""
    process = await asyncio.create_subprocess_exec(
        str(DOCENT),
        *arguments,
        stdout=PIPE,
        stderr=STDOUT,
        env={**product.environment, **environment},
        cwd=Path(product.environment["DATA_DIR"]).parent,
    )
    async with asyncio.timeout(60):
        output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(errors="replace")
