"""A real nginx with deploy/nginx.conf.template, as an operator fills it in."""

import asyncio
import re
import shutil
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

TEMPLATE = Path(__file__).parents[2] / "deploy" / "nginx.conf.template"
_AROUND = """\
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
events {{ worker_connections 512; }}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  {server}
}}
"""


@asynccontextmanager
async def running_nginx(folder: Path, port: int, *, apis: Sequence[str], ui: str) -> AsyncIterator[str]:
    """Run it within the block, and yield its address. Where nginx is not installed, the test is skipped."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin")
    if program is None:
        pytest.skip("nginx is not installed (Debian: apt install nginx-light)")
    told = {
        "DOCENT_LISTEN": f"listen 127.0.0.1:{port};",
        "DOCENT_RESOLVER": "",
        "DOCENT_API_SERVERS": " ".join(f"server {urlsplit(url).netloc};" for url in apis),
        "DOCENT_UI_SERVERS": f"server {urlsplit(ui).netloc};",
    }
    server = re.sub(r"\$\{(\w+)\}", lambda found: told[found[1]], TEMPLATE.read_text(encoding="utf-8"))
    configuration = folder / "nginx.conf"
    configuration.write_text(_AROUND.format(folder=folder, server=server), encoding="utf-8")
    command = (program, "-c", str(configuration), "-e", str(folder / "error.log"))
    process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=DEVNULL)
    try:
        async with asyncio.timeout(30):
            while not await _listens(port):
                assert process.returncode is None, (folder / "error.log").read_text()
                await asyncio.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
