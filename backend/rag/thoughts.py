"""Reasoning that a model writes into its reply, where its server does not keep it apart."""

import re
from typing import Final

_THOUGHT: Final = re.compile(r"<(think|thinking|reasoning)>(.*?)(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_REST: Final = re.compile(r"\A(.*?)</(?:think|thinking|reasoning)>", re.DOTALL | re.IGNORECASE)


def split_thoughts(text: str) -> tuple[str, str]:
    """Return a reply without its reasoning, and the reasoning.

    It stands between tags; where a template has written the first one already, up to the closing one; and where the reply was cut,
    up to its end.
    """
    thoughts: list[str] = []

    def taken(found: re.Match[str]) -> str:
        thoughts.append(found[found.lastindex or 1].strip())
        return ""

    text = _THOUGHT.sub(taken, text)
    return _REST.sub(taken, text).strip("\n"), "\n\n".join(filter(None, thoughts))
