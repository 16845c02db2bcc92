"""From fields to a page."""

import hashlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from starlette.responses import HTMLResponse

STYLE = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
ICON = Path(__file__).with_name("icon.svg").read_text(encoding="utf-8").strip()
_HASH = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_ICON = b64encode(ICON.encode()).decode()
_HEAD = """<!doctype html><html lang="en"><head><meta charset="utf-8">\
<meta name="viewport" content="width=device-width,initial-scale=1"><title>{title} · Docent</title>\
<link rel="icon" href="data:image/svg+xml;base64,{icon}"><style>{style}</style></head><body><main>{svg}<h1>{title}</h1>"""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form. ``hint`` stands below it, and ``wrong`` in its place, if something is."""

    name: str
    label: str
    kind: str = "text"
    autocomplete: str = "off"
    value: str = ""
    hint: str = ""
    wrong: str = ""
    required: bool = True
    least: int = 0


def page(
    title: str,
    action: str,
    fields: Sequence[Field],
    button: str,
    *,
    hidden: dict[str, str] | None = None,
    wrong: str = "",
    link: tuple[str, str, str] | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    may_lead_to: str | None = None,
) -> HTMLResponse:
    """Return a page with one form, which is posted to ``action`` and may lead to pages of another origin.

    ``link`` is a sentence, an address and the words that lead there. All texts are escaped here.
    """
    parts = [_wrong(wrong)] if wrong else []
    parts.append(f'<form method="post" action="{escape(action)}">')
    parts += [
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in (hidden or {}).items() if value
    ]
    first = next((field.name for field in fields if field.wrong), fields[0].name if fields else "")
    parts += [_field(field, focused=field.name == first) for field in fields]
    parts.append(f'<button type="submit">{escape(button)}</button></form>')
    if link is not None:
        parts.append(_link(*link))
    # Browsers hold redirects that follow a form to the same rule, so where it may lead has to be said.
    forms = f"'self' {may_lead_to}" if may_lead_to else "'self'"
    return _response(title, parts, status, forms=forms, headers=headers)


def notice(title: str, wrong: str, link: tuple[str, str, str], *, status: int) -> HTMLResponse:
    """Return a page that says what cannot be done here, without a form. ``link`` is as for ``page``."""
    return _response(title, [_wrong(wrong), _link(*link)], status, forms="'none'")


def _response(
    title: str, parts: Sequence[str], status: int, *, forms: str, headers: Mapping[str, str] | None = None
) -> HTMLResponse:
    html = "".join((_HEAD.format(title=escape(title), style=STYLE, svg=ICON, icon=_ICON), *parts, "</main></body></html>"))
    allowed = f"style-src 'sha256-{_HASH}'; img-src data:; form-action {forms}"
    policy = f"default-src 'none'; {allowed}; frame-ancestors 'none'; base-uri 'none'"
    return HTMLResponse(html, status, {**(headers or {}), "Content-Security-Policy": policy, "Cache-Control": "no-store"})


def _wrong(text: str) -> str:
    return f'<p class="wrong" role="alert">{escape(text)}</p>'


def _link(sentence: str, address: str, words: str) -> str:
    return f'<p>{escape(sentence)} <a href="{escape(address)}">{escape(words)}</a></p>'


def _field(field: Field, *, focused: bool) -> str:
    name = escape(field.name)
    attributes = [
        f'id="{name}" name="{name}" type="{escape(field.kind)}" autocomplete="{escape(field.autocomplete)}"',
        f'aria-describedby="{name}-hint"',
    ]
    if field.value:
        attributes.append(f'value="{escape(field.value)}"')
    if field.required:
        attributes.append("required")
    if field.least:
        attributes.append(f'minlength="{field.least}"')
    if field.kind == "text":
        attributes.append('autocapitalize="none" spellcheck="false"')
    if field.wrong:
        attributes.append('aria-invalid="true"')
    if focused:
        attributes.append("autofocus")
    kind = ' class="wrong"' if field.wrong else ""
    hint = f'<small id="{name}-hint"{kind}>{escape(field.wrong or field.hint)}</small>'
    return f'<label for="{name}">{escape(field.label)}</label><input {" ".join(attributes)}>{hint}'
