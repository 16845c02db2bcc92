"""A quote in its place, as HTML. All text is escaped; what it is written in is left to the browser to find out."""

from html import escape
from unicodedata import east_asian_width

ROWS = 7
"""So much is shown before a quote: then it begins on the first screen, also that of a phone."""
COLUMNS = 44
"""Letters in a row of a phone; a wider screen has more in fewer rows."""

STYLE = """
<style>
[class*="st-key-source-"] button{min-height:2rem;padding:.1rem .65rem}
.source-head{overflow-wrap:anywhere}
.source-head h3{font-size:1.25rem;line-height:1.35;margin:0;padding:0}
.source-head p{margin:.25rem 0 0;font-size:.875rem;opacity:.8}
.passage{font-size:.95rem;overflow-wrap:anywhere;unicode-bidi:plaintext;text-align:start;padding:.75rem 1rem;border-radius:.5rem;
border:1px solid color-mix(in srgb,currentColor 18%,transparent)}
.passage mark{box-decoration-break:clone;-webkit-box-decoration-break:clone}
</style>
"""


def head(title: str, details: list[str]) -> str:
    """Return what stands above a passage."""
    below = f"<p dir='auto'>{escape(' · '.join(details))}</p>" if details else ""
    return f'<div class="source-head"><h3 dir="auto">{escape(title)}</h3>{below}</div>'


def in_place(before: str, quote: str, after: str) -> str:
    """Return a passage whose quote is marked."""
    inside = f"{escape(before)}<mark>{escape(quote)}</mark>{escape(after)}"
    return f'<div class="passage" dir="auto" tabindex="0" role="region" aria-label="The passage">{inside}</div>'


def lead(before: str) -> str:
    """Return the end of a text, no longer than ``ROWS``; it begins with a line or a word."""
    kept: list[str] = []
    rows = 0
    for line in reversed(before.splitlines(keepends=True)):
        rows += max(1, -(-_wide(line) // COLUMNS))
        if rows > ROWS:
            return "".join(reversed(kept)) if kept else _last_words(line)
        kept.append(line)
    return before


def _last_words(line: str) -> str:
    end = line[-ROWS * COLUMNS :]
    while _wide(end) > ROWS * COLUMNS:
        end = end[COLUMNS:]
    _, space, rest = end.partition(" ")
    # Languages that write no spaces have none near the beginning.
    return rest if space and len(rest) > len(end) - COLUMNS else end


def _wide(text: str) -> int:
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)
