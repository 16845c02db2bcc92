"""From what a model writes to the SQL in it, and to what it says about it."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from backend.rag.sql.fences import Fence, fences, without_fences
from backend.rag.sql.shapes import begins_as_sql, goes_on, is_prose
from backend.rag.thoughts import split_thoughts

_TAGS: Final = re.compile(r"\[(/?)SQL\]|<(/?)sql>", re.IGNORECASE)
_LABEL: Final = re.compile(
    r"^[ \t]*(?:[#>*-]+[ \t]*)?[*_`]{0,2}"
    r"(?:(?:the|final|corrected|fixed|optimi[sz]ed|generated|improved|rewritten|resulting)[ \t]+)*"
    r"(?:(?:postgre)?sql(?:ite)?|mysql|answer|query|statement)(?:[ \t]+(?:query|statement|code|version))?"
    r"[*_`]{0,2}[ \t]*[:：][*_`]{0,2}[ \t]*",
    re.IGNORECASE,
)
_SAID: Final = re.compile(
    r"^[ \t]*(?:[#>*-]+[ \t]*)?[*_]{0,2}"
    r"(?:explanation|note|notes|description|how it works|reasoning|comment|changes|output)\b[^\n:]{0,20}[:：]",
    re.IGNORECASE,
)
_INLINE: Final = re.compile(r"(?<!`)(`{1,2})(?!`)([^`\n]+)(?<!`)\1(?!`)")
_BEFORE_SQL: Final = re.compile(r"[:：][ \t]+(?=[A-Za-z(])")
_JSON_SQL: Final = re.compile(r'"(?:sql|query|sql_query|statement|code)"\s*:\s*"((?:[^"\\]|\\.)*)"?', re.IGNORECASE | re.DOTALL)
_JSON_SQL_KEYS: Final = ("sql", "query", "sql_query", "statement", "code")
_JSON_TEXT_KEYS: Final = ("explanation", "description", "notes", "comment", "reasoning")
_BLANK_LINES: Final = re.compile(r"\n[ \t]*(?:\n[ \t]*)+\n")


@dataclass(frozen=True, slots=True)
class SqlReply:
    """What a reply holds: ``sql`` without fences, labels and prose (``None`` where there is none), the prose, and the reasoning."""

    sql: str | None
    explanation: str
    thinking: str = ""


def sql_in(reply: str, *, given: Sequence[str] = ()) -> SqlReply:
    """Find the SQL of a reply, in whichever shape it came.

    Of several fences it is the first one with SQL, but one that only repeats what was ``given`` (a query to be fixed, a schema)
    gives way to one that does not. Several statements of one fence belong together. What is not taken stays in the explanation,
    with its fences. A fence never is part of ``sql``.
    """
    text = reply.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff")
    text, thinking = split_thoughts(text)
    text = _TAGS.sub(lambda tag: "\n```\n" if tag[1] or tag[2] else "\n```sql\n", text)
    sql, explanation = _found(text, {_normal(each) for each in given if each.strip()})
    return SqlReply(sql, explanation, thinking)


def _found(text: str, given: set[str]) -> tuple[str | None, str]:
    for look in (_in_object, _in_fence, _in_lines, _in_line):
        if (found := look(text, given)) is not None:
            sql, explanation = found
            if (bare := without_fences(sql).strip()) != sql:
                # A fence in a fence: what is inside counts, and what is around it was said about it.
                inner, rest = (None if begins_as_sql(sql) else _in_fence(sql, given)) or (bare, "")
                sql, explanation = (
                    without_fences(inner).strip(),
                    "\n\n".join(filter(None, (explanation, without_fences(rest).strip()))),
                )
            if sql:
                return sql, explanation
    return None, _tidy([text])


def _in_object(text: str, given: set[str]) -> tuple[str, str] | None:
    """Take a JSON object, alone or in a fence, that has SQL under one of the usual names."""
    for fence in fences(text):
        if fence.label in {"json", "jsonc", ""} and (found := _of_object(fence.body)) is not None:
            return found[0], _tidy([text[: fence.start], found[1], text[fence.end :]])
    begin, end = text.find("{"), text.rfind("}")
    if begin < 0 or '"' not in text[begin : begin + 20] or begins_as_sql(text):
        return None
    whole = text[begin : end + 1] if end > begin else text[begin:]
    found = _of_object(whole)
    if found is None and not text[:begin].strip() and (cut := _JSON_SQL.search(whole)) is not None:
        # It was cut, or is not quite JSON.
        return _unescaped(cut[1]), _tidy([whole[: cut.start()].strip(" {\n,"), whole[cut.end() :].strip(" }\n,")])
    return None if found is None else (found[0], _tidy([text[:begin], found[1], text[begin + len(whole) :]]))


def _of_object(text: str) -> tuple[str, str] | None:
    if not text.startswith("{"):
        return None
    try:
        value = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    names = {str(name).lower(): name for name in value}
    sql = next((value[names[key]] for key in _JSON_SQL_KEYS if key in names and isinstance(value[names[key]], str)), None)
    if sql is None:
        return None
    said = [value[names[key]] for key in _JSON_TEXT_KEYS if key in names and isinstance(value[names[key]], str)]
    return sql.strip(), "\n\n".join(said)


def _in_fence(text: str, given: set[str]) -> tuple[str, str] | None:
    """Take the best fence: one that says that it is SQL, else one that looks like it, else one that does not say what it is."""
    found = [fence for fence in fences(text) if fence.body]
    new = [fence for fence in found if not _repeats(fence.body, given)]
    for candidates in (new, found):
        best = next(filter(_is_sql, candidates), None) or next((fence for fence in candidates if not fence.label), None)
        if best is not None:
            return best.body, _tidy([text[: best.start], text[best.end :]])
    return None


def _is_sql(fence: Fence) -> bool:
    return fence.is_sql or (not fence.label and begins_as_sql(fence.body))


def _in_lines(text: str, given: set[str]) -> tuple[str, str] | None:
    """Take lines that begin as SQL does, alone or behind a label, up to where prose begins."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        label = _LABEL.match(line)
        rest = line[label.end() :] if label else line
        after = "\n".join([rest, *lines[number + 1 : number + 12]])
        if line.strip() and begins_as_sql(after) and (label or not is_prose(line)):
            end = _end(lines, number)
            sql = "\n".join([rest, *lines[number + 1 : end]]).strip().strip("`").strip()
            if sql and (not _repeats(sql, given) or end >= len(lines)):
                return sql, _tidy(["\n".join(lines[:number]), "\n".join(lines[end:])])
    return None


def _end(lines: Sequence[str], begin: int) -> int:
    """Return the number of the first line that does not belong to the SQL that begins at a line."""
    complete = False
    blank = False
    for number in range(begin, len(lines)):
        line = lines[number]
        if number > begin and line.strip():
            fresh = begins_as_sql("\n".join(lines[number : number + 12])) and not is_prose(line)
            comment = line.lstrip().startswith(("--", "/*"))
            if _SAID.match(line) or not (fresh or comment or (not complete and (not blank or goes_on(line)))):
                return number
        blank = not line.strip()
        complete = line.rstrip().endswith(";") or (complete and blank)
    return len(lines)


def _in_line(text: str, given: set[str]) -> tuple[str, str] | None:
    """Take inline code, or what stands behind a colon, if it is SQL."""
    for found in _INLINE.finditer(text):
        if begins_as_sql(found[2]) and not _repeats(found[2], given):
            return found[2].strip(), _tidy([text[: found.start()].rstrip() + " " + text[found.end() :].lstrip()])
    for colon in _BEFORE_SQL.finditer(text):
        end = text.find("\n", colon.end())
        line = text[colon.end() : end if end >= 0 else len(text)]
        if begins_as_sql(line):
            return line.strip(), _tidy([text[: colon.end()], text[colon.end() + len(line) :]])
    return None


def _repeats(sql: str, given: set[str]) -> bool:
    normal = _normal(sql)
    return normal in given or (normal.startswith(("create", "alter")) and any(normal in each for each in given))


def _normal(sql: str) -> str:
    return " ".join(sql.lower().replace(";", " ").split())


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False)).strip()
    except ValueError:
        return text.replace("\\n", "\n").replace('\\"', '"').rstrip("\\").strip()


def _tidy(parts: Iterable[str]) -> str:
    """Return what was said, without labels that nothing stands behind any more."""
    kept = []
    for part in parts:
        lines = part.strip().split("\n")
        while lines and (
            not lines[-1].strip() or ((label := _LABEL.match(lines[-1])) and not lines[-1][label.end() :].strip(" *_`"))
        ):
            lines.pop()
        kept.append("\n".join(lines).strip())
    return _BLANK_LINES.sub("\n\n", "\n\n".join(filter(None, kept)))
