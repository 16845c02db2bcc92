"""Access tokens: ours are read, and everything else is one error."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from jose import jwt

from backend.core.clock import now
from backend.core.errors import TokenInvalidError
from backend.core.security import AccessTokens, Claims
from backend.services.registry import Services

KEY = "a key of at least thirty-two characters"
TOKENS = AccessTokens(KEY, lifetime=timedelta(minutes=30))
CLAIMS = Claims(uuid4(), uuid4(), 3)
PAYLOAD = jwt.get_unverified_claims(AccessTokens(KEY, lifetime=timedelta(days=1)).issue(CLAIMS))
HEADER = {"alg": "HS256", "typ": "JWT"}


def encoded(part: object) -> str:
    data = part if isinstance(part, bytes) else json.dumps(part, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def signed(payload: object = PAYLOAD, header: object = HEADER, key: str = KEY, *, algorithm: str = "sha256") -> str:
    """Sign whatever is asked for, by hand, as no library would."""
    body = f"{encoded(header)}.{encoded(payload)}"
    return f"{body}.{encoded(hmac.new(key.encode(), body.encode(), algorithm).digest())}"


def nested(depth: int = 1000) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


def with_claims(**changes: Any) -> str:
    return signed({key: value for key, value in {**PAYLOAD, **changes}.items() if value is not None})


def parts() -> list[str]:
    return signed().split(".")


NOT_OURS = {
    "expired": TOKENS.issue(CLAIMS, at=now() - timedelta(minutes=31)),
    "forged with another key": signed(key=KEY + "x"),
    "forged with an empty key": signed(key=""),
    "signed for another payload": ".".join([parts()[0], encoded({**PAYLOAD, "sub": str(uuid4())}), parts()[2]]),
    "alg none": f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{encoded(PAYLOAD)}.",
    "alg none with a signature": signed(header={"alg": "none", "typ": "JWT"}),
    "alg HS512": signed(header={"alg": "HS512", "typ": "JWT"}, algorithm="sha512"),
    "alg RS256": signed(header={"alg": "RS256", "typ": "JWT"}),
    "alg is a list": signed(header={"alg": ["HS256"], "typ": "JWT"}),
    "no alg": signed(header={"typ": "JWT"}),
    "no typ": signed(header={"alg": "HS256"}),
    "typ in lower case": signed(header={"alg": "HS256", "typ": "jwt"}),
    "crit": signed(header={**HEADER, "crit": ["exp"]}),
    "kid": signed(header={**HEADER, "kid": "../../dev/null"}),
    "a nested header": signed(header=nested()),
    "a nested payload": signed(nested(400)),
    "a deeply nested payload": signed(nested()),
    "an unsigned nested payload": f"{encoded(HEADER)}.{encoded(nested(180))}.x",
    "a header that is no object": signed(header=[1]),
    "a payload that is no object": signed([1]),
    "a payload that is no JSON": signed(b"\xff\xfe{"),
    **{f"no {claim}": with_claims(**{claim: None}) for claim in ("exp", "iat", "sub", "jti", "aud", "sid", "ver")},
    "another audience": with_claims(aud="somebody"),
    "no audience in a list": with_claims(aud=[]),
    "exp is NaN": signed(json.dumps({**PAYLOAD, "exp": float("nan")}).encode()),
    "exp is 1e400": signed(json.dumps({**PAYLOAD, "exp": 0}).replace(": 0", ": 1e400").encode()),
    "exp is a text": with_claims(exp="soon"),
    "exp is long ago": with_claims(exp=-1),
    "sub is no id": with_claims(sub="alice"),
    "sub is a number": with_claims(sub=7),
    "sid is no id": with_claims(sid="x"),
    "ver is a text": with_claims(ver="x"),
    "huge": with_claims(pad="x" * 100_000),
    "just too long": signed({**PAYLOAD, "pad": "x" * 1400}),
    "only dots": "..",
    "two parts": ".".join(parts()[:2]),
    "four parts": signed() + ".x",
    "no signature": ".".join(parts()[:2]) + ".",
    "empty": "",
    "a blank": " ",
    "with a newline": signed() + "\n",
    "not ASCII": signed()[:-1] + "é",
    "a lone surrogate": signed()[:-1] + "\ud800",
    "NUL": signed() + "\x00",
    "garbage base64 in the header": f"!!!.{parts()[1]}.{parts()[2]}",
    "garbage base64 in the payload": f"{parts()[0]}.%%%.{parts()[2]}",
    "garbage base64 in the signature": f"{parts()[0]}.{parts()[1]}.%%%",
    "base64 of a wrong length": f"{parts()[0]}.a.{parts()[2]}",
    "padded": f"{parts()[0]}==.{parts()[1]}.{parts()[2]}",
}


def test_a_token_of_ours_says_what_it_was_issued_for() -> None:
    assert TOKENS.read(TOKENS.issue(CLAIMS)) == CLAIMS
    assert TOKENS.read(signed()) == CLAIMS, "the table below differs from this one in one thing each"
    assert TOKENS.issue(CLAIMS) != TOKENS.issue(CLAIMS)
    nearly = TOKENS.issue(CLAIMS, at=now() - timedelta(minutes=29, seconds=50))
    assert TOKENS.read(nearly) == CLAIMS


@pytest.mark.parametrize("name", NOT_OURS)
def test_anything_else_is_an_invalid_token_and_nothing_but_that(name: str) -> None:
    with pytest.raises(TokenInvalidError) as refused:
        TOKENS.read(NOT_OURS[name])
    assert refused.value.message == TokenInvalidError.message
    assert refused.value.details == {}


def test_a_signature_cut_short_or_bent_is_not_valid() -> None:
    head, payload, signature = parts()
    digest = hashlib.sha256(b"").hexdigest()
    for bad in (signature[:-4], signature[:10], signature + "AAAA", signature.swapcase(), digest):
        with pytest.raises(TokenInvalidError):
            TOKENS.read(f"{head}.{payload}.{bad}")


async def test_a_good_token_of_another_server_opens_nothing_here(services: Services) -> None:
    for token in (TOKENS.issue(CLAIMS), "", "x" * 5000, "\ud800", NOT_OURS["a nested header"]):
        with pytest.raises(TokenInvalidError):
            await services.accounts.caller(token)
