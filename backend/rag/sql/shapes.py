"""How SQL begins and goes on, for telling it from prose where nothing marks it."""

import re
from typing import Final

_NAME: Final = r"[\w\"`\[\].$@#]+"
_BEGINNING: Final = re.compile(
    rf"""\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*\(*\s*(?:
      select\s+(?:distinct\b|top\b|all\b|\*|\d|'|\(|count\s*\(|case\b|[^\n]*?\bfrom\b|{_NAME}\s*(?:\(|,|\bas\b|$))
    | select\s*$ | select\s*\*
    | with\s+(?:recursive\s+)?{_NAME}\s*(?:\([^)]*\)\s*)?as\b
    | insert\s+(?:into|overwrite|ignore|or\s+\w+)\b | replace\s+into\b
    | update\s+(?:only\s+)?{_NAME}(?:\s+(?:as\s+)?\w+)?\s*(?:\n\s*)?\bset\b | update\s+{_NAME}\s*$
    | delete\s+(?:from\b|{_NAME}\s+from\b)
    | merge\s+into\b | truncate\s+(?:table\s+)?{_NAME}\s*;
    | create\s+(?:or\s+replace\s+)?(?:(?:global|local)\s+)?(?:temp(?:orary)?|unique|unlogged|materialized|external|recursive)?\s*
      (?:table|view|index|materialized|function|procedure|trigger|schema|database|sequence|type|role|user|extension)\s+
      (?:if\s+not\s+exists\s+|concurrently\s+)?["`\[]?\w
    | alter\s+(?:table|view|index|column|schema|database|sequence|type|role|user)\s+{_NAME}\s
    | drop\s+(?:table|view|index|materialized|function|procedure|trigger|schema|database|sequence|type|role|user)\s+{_NAME}
    | explain\s+(?:analyze\s+|verbose\s+|\([^)]*\)\s*)*(?:select|with|insert|update|delete)\b
    | (?:grant|revoke)\s+[\w,\s]+\bon\b | values\s*\( | pragma\s+\w+ | begin\s*; | begin\s+transaction\b | commit\s*; | rollback\s*;
    | declare\s+@ | exec(?:ute)?\s+\w | set\s+[\w@.]+\s*(?:=|\bto\b)
    )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_GOING_ON: Final = re.compile(
    r"\s*(?:--|/\*|[(),;*]|(?:select|from|where|group|order|having|limit|offset|fetch|union|intersect|except|join|inner|left|right|full|"
    r"cross|outer|lateral|on|using|and|or|set|values|when|then|else|end|as|with|window|qualify|returning|partition|for|insert|update|"
    r"delete|create|alter|drop|merge|commit|rollback|begin|grant|references|primary|foreign|constraint|unique|not|default)\b)",
    re.IGNORECASE,
)
_PROSE_END: Final = re.compile(r"[.:!?]\s*$")
LOOKED_AT: Final = 600
"""Characters that say how a text begins: nobody needs more, and what is hostile gets no more."""


def begins_as_sql(text: str) -> bool:
    """Tell whether a text begins as SQL does, comments in front of it included."""
    return _BEGINNING.match(text[:LOOKED_AT]) is not None


def is_prose(line: str) -> bool:
    """Tell whether a line ends as a sentence does."""
    return _PROSE_END.search(line) is not None


def goes_on(line: str) -> bool:
    """Tell whether a line may be the next one of a statement, behind a blank one."""
    return _GOING_ON.match(line) is not None and not is_prose(line)
