"""What an API process tells its parent."""

import os


class Reports:
    """Tells the parent what becomes of this process, in lines. It never waits for the parent."""

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor

    def say(self, line: str) -> None:
        """Write a line. A parent that does not read misses it: it is gone."""
        try:
            os.write(self._descriptor, line.encode() + b"\n")
        except (BlockingIOError, BrokenPipeError):
            return
