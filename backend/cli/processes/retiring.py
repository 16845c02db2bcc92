"""Leaving the stage while another process of the same address takes over: nobody's request is lost by it."""

import asyncio
import time

from backend.cli.server import DRAIN_MARGIN_SECONDS, DrainingServer

LOOK_SECONDS = 0.1
IDLE_SECONDS = 2.0
"""How long an idle connection is kept open meanwhile: a request that is on its way is answered, and told to close."""


class RetiringServer(DrainingServer):
    """A server that can retire: it takes no new connections, and those that it has come to their end by themselves.

    What clients ask on them is answered with ``Connection: close``, so that they come back to another process. Only a connection
    that nobody has used for a while is closed by the server, for a client that sends at that very moment would see a reset.
    """

    _retiring: asyncio.Task[None] | None = None

    def retire(self) -> None:
        """Begin. The server then stops by itself, after the grace time at the latest."""
        if self._retiring is None:
            self._retiring = asyncio.get_running_loop().create_task(self._retire(), name="retire")

    async def _retire(self) -> None:
        # The listening socket itself lives on: other processes have it too, and what waits in its queue goes to them.
        for server in self.servers:
            server.close()
        self._ask_to_close()
        self.send_readers_away()
        grace = self._settings.shutdown_grace_seconds
        until = time.monotonic() + grace + DRAIN_MARGIN_SECONDS
        draining = asyncio.ensure_future(self.application.services.drain(grace))
        idle: dict[object, float] = {}
        while (self.server_state.connections or not draining.done()) and time.monotonic() < until and not self.should_exit:
            self._close_idle(idle)
            await asyncio.sleep(LOOK_SECONDS)
        self.should_exit = True
        await draining

    def _ask_to_close(self) -> None:
        close = (b"connection", b"close")
        # The first is what every second's tick makes the other of.
        self.config.encoded_headers = [*self.config.encoded_headers, close]
        self.server_state.default_headers = [*self.server_state.default_headers, close]
        for connection in self.server_state.connections:
            cycle = getattr(connection, "cycle", None)
            if cycle is not None and not cycle.response_started:
                cycle.keep_alive = False

    def _close_idle(self, idle: dict[object, float]) -> None:
        """Close what has been idle for a while; ``idle`` holds since when each is."""
        now = time.monotonic()
        for connection in list(self.server_state.connections):
            cycle = getattr(connection, "cycle", None)
            if cycle is not None and not cycle.response_complete:
                idle.pop(connection, None)
            elif now - idle.setdefault(connection, now) >= IDLE_SECONDS:
                connection.shutdown()
