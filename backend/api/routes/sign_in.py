"""Pages for people with a browser: signing in, opening an account, signing out."""

import re
from collections.abc import Mapping
from urllib.parse import quote

from fastapi import APIRouter, Request, Response, status
from fastapi.responses import RedirectResponse
from pydantic import SecretStr, ValidationError

from backend.api.browsers import assert_not_foreign, assert_same_site, cookie_of, forget, keep
from backend.api.deps import Accounts, Origin, Throttle
from backend.api.errors import retry_after, status_of
from backend.api.front_door import FrontDoor
from backend.api.pages import Field, notice, page
from backend.core.errors import (
    CredentialsInvalidError,
    CrossSiteError,
    DocentError,
    EmailTakenError,
    RegistrationClosedError,
    TokenInvalidError,
    UsernameTakenError,
)
from backend.schemas.auth import LoginIn, RegisterIn

router = APIRouter(include_in_schema=False)

HOME = "/"
_VISIBLE = re.compile(r"[\x21-\x7e]{1,2000}")
_LOCAL = re.compile(r"/(?![/\\])")
"""How an address on this very server begins: nothing that a browser would take for the name of another one."""
_HINTS = {
    "username": "3 to 64 letters, digits, dots, hyphens or underscores; a letter or a digit first.",
    "email": "An email address, such as ada@example.com.",
    "password": "At least 8 characters.",
    "full_name": "At most 200 characters.",
}


@router.get("/sign-in")
async def show_sign_in(request: Request, accounts: Accounts) -> Response:
    """Show the form, or go on, where somebody is signed in already."""
    token = cookie_of(request)
    if token is not None:
        try:
            await accounts.session_caller(token)
        except TokenInvalidError:
            pass  # It has ended since: the form takes care of that.
        else:
            return _leading_on(request, request.query_params.get("next"))
    return _sign_in_page(request, then=request.query_params.get("next"))


@router.post("/sign-in")
async def sign_in(request: Request, accounts: Accounts, origin: Origin, throttle: Throttle) -> Response:
    """Sign in, and go on to where the visitor wanted to."""
    sent = await _form(request)
    then, username = sent.get("next"), sent.get("username", "")
    try:
        assert_not_foreign(request)
        form = LoginIn(username=username, password=SecretStr(sent.get("password", "")))
        return await _signed_in(request, accounts, origin, throttle, form, then=then)
    except ValidationError:
        # No account can have these, so they are as wrong as any others.
        return _sign_in_page(request, username, then, CredentialsInvalidError())
    except DocentError as error:
        return _sign_in_page(request, username, then, error)


@router.get("/sign-up")
async def show_sign_up(request: Request) -> Response:
    """Show the form, or that nobody may open an account here."""
    return _sign_up_page(request, {"next": request.query_params.get("next") or ""}, {})


@router.post("/sign-up")
async def sign_up(request: Request, accounts: Accounts, origin: Origin, throttle: Throttle) -> Response:
    """Open an account, sign in, and go on."""
    sent = await _form(request)
    try:
        assert_not_foreign(request)
        form = RegisterIn.model_validate({name: sent[name] for name in _HINTS if sent.get(name)})
        await throttle.registering(origin.address)
        password = form.password.get_secret_value()
        await accounts.register(
            username=form.username, email=form.email, password=password, full_name=form.full_name, origin=origin
        )
        login = LoginIn(username=form.username, password=form.password)
        return await _signed_in(request, accounts, origin, throttle, login, then=sent.get("next"))
    except ValidationError as error:
        return _sign_up_page(request, sent, {str(problem["loc"][0]): _HINTS[str(problem["loc"][0])] for problem in error.errors()})
    except UsernameTakenError as error:
        return _sign_up_page(request, sent, {"username": error.message}, error)
    except EmailTakenError as error:
        return _sign_up_page(request, sent, {"email": error.message}, error)
    except DocentError as error:
        return _sign_up_page(request, sent, {}, error)


@router.get("/sign-out")
async def show_sign_out() -> Response:
    """Ask, for a link alone must not sign anybody out."""
    return page("Sign out", "/sign-out", (), "Sign out", link=("Or", HOME, "stay signed in"))


@router.post("/sign-out")
async def sign_out(request: Request, accounts: Accounts) -> Response:
    """End the sign-in of this browser."""
    try:
        assert_same_site(request)
        token = cookie_of(request)
    except CrossSiteError as error:
        return page("Sign out", "/sign-out", (), "Sign out", wrong=error.message, status=status_of(type(error)))
    if token is not None:
        await accounts.close_session(token)
    response = RedirectResponse("/sign-in", status.HTTP_303_SEE_OTHER)
    forget(response)
    return response


async def _signed_in(
    request: Request, accounts: Accounts, origin: Origin, throttle: Throttle, form: LoginIn, *, then: str | None
) -> Response:
    async with throttle.signing_in(form.username, origin.address):
        session = await accounts.open_session(login=form.username, password=form.password.get_secret_value(), origin=origin)
    response = _leading_on(request, then)
    keep(response, session.text, request)
    return response


async def _form(request: Request) -> dict[str, str]:
    """Return the fields that were sent; files are none."""
    async with request.form(max_fields=20, max_files=0) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


def _leading_on(request: Request, then: str | None) -> RedirectResponse:
    return RedirectResponse(_ours(request, then) or HOME, status.HTTP_303_SEE_OTHER)


def _ours(request: Request, then: str | None) -> str:
    """Return an address to go on to, if it is one of this server's, or of the user interface that it sends browsers to."""
    if then is None or not _VISIBLE.fullmatch(then):
        return ""
    interface = _door(request).elsewhere(request)
    if interface is not None and (then == interface or then.startswith(f"{interface}/")):
        return then
    return then if _LOCAL.match(then) else ""


def _door(request: Request) -> FrontDoor:
    door: FrontDoor = request.app.state.front_door
    return door


def _sign_in_page(request: Request, username: str = "", then: str | None = None, error: DocentError | None = None) -> Response:
    fields = (
        Field("username", "Username or email", autocomplete="username", value=_shown(username)),
        Field("password", "Password", "password", autocomplete="current-password"),
    )
    sign_up = ("No account yet?", _with("/sign-up", _ours(request, then)), "Open one")
    return page(
        "Sign in",
        "/sign-in",
        fields,
        "Sign in",
        hidden={"next": _ours(request, then)},
        link=sign_up if _door(request).registration_open else None,
        wrong=error.message if error else "",
        status=status_of(type(error)) if error else 200,
        headers=retry_after(error) if error else None,
        may_lead_to=_door(request).elsewhere(request),
    )


def _sign_up_page(
    request: Request, sent: Mapping[str, str], wrong: Mapping[str, str], error: DocentError | None = None
) -> Response:
    """Return the form with what was sent, but for the password; ``wrong`` says of a field what is."""
    then = sent.get("next")
    sign_in_instead = ("You have an account?", _with("/sign-in", _ours(request, then)), "Sign in")
    if not _door(request).registration_open:
        closed = RegistrationClosedError
        return notice("Open an account", closed.message, sign_in_instead, status=status_of(closed))
    labels = (
        ("username", "Username", "text", "username"),
        ("email", "Email", "email", "email"),
        ("full_name", "Your name (if you like)", "text", "name"),
    )
    fields = [
        Field(name, label, kind, autocomplete, _shown(sent.get(name, "")), wrong=wrong.get(name, ""), required=name != "full_name")
        for name, label, kind, autocomplete in labels
    ]
    hint, amiss = _HINTS["password"], wrong.get("password", "")
    fields.append(Field("password", "Password", "password", "new-password", hint=hint, wrong=amiss, least=8))
    return page(
        "Open an account",
        "/sign-up",
        fields,
        "Open the account",
        hidden={"next": _ours(request, then)},
        link=sign_in_instead,
        wrong=error.message if error and not wrong else "",
        status=status_of(type(error)) if error else 422 if wrong else 200,
        headers=retry_after(error) if error else None,
        may_lead_to=_door(request).elsewhere(request),
    )


def _with(path: str, then: str) -> str:
    return f"{path}?next={quote(then, safe='')}" if then else path


def _shown(text: str) -> str:
    """Return what was typed, as far as a page can hold it."""
    return text[:254].encode("utf-8", "replace").decode().replace("\x00", "")
