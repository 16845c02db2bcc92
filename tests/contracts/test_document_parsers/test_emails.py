"""Saved e-mail: who wrote what to whom, and what came with it."""

import pytest

from backend.adapters.document_parsers import email
from backend.core.errors import ParsingError

HEAD = "From: Ann <ann@example.org>\r\nSubject: The log\r\nX-Secret: no\r\n"
SHOWN = "From: Ann <ann@example.org>\nSubject: The log"


def multipart(kind: str, *parts: str, head: str = HEAD) -> bytes:
    body = "".join(f"--B\r\n{part}\r\n" for part in parts)
    return f"{head}MIME-Version: 1.0\r\nContent-Type: multipart/{kind}; boundary=B\r\n\r\n{body}--B--\r\n".encode()


PLAIN = "Content-Type: text/plain\r\n\r\nplain text"
HTML = "Content-Type: text/html\r\n\r\n<h1>Title</h1><p>a page"
BLANK = "Content-Type: text/plain\r\n\r\n \r\n"
FILE = "Content-Type: application/pdf\r\nContent-Disposition: attachment; filename*=utf-8''gr%C3%B6%C3%9Fe.pdf\r\n\r\nxx"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (f"{HEAD}\r\nhello\r\nworld".encode(), f"{SHOWN}\n\nhello\nworld"),
        (multipart("alternative", PLAIN, HTML), f"{SHOWN}\n\nplain text"),
        (multipart("alternative", BLANK, HTML), f"{SHOWN}\n\nTitle\n\na page"),
        (multipart("mixed", PLAIN, HTML, FILE), f"{SHOWN}\n\nplain text\n\nTitle\n\na page\n\nAttachment: größe.pdf"),
        (multipart("mixed", f"Content-Type: message/rfc822\r\n\r\n{HEAD}\r\ninner"), f"{SHOWN}\n\n{SHOWN}\n\ninner"),
        (b"Subject: x\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na=C3=A9=\r\nb", "Subject: x\n\naéb"),
        (b"Subject: =?iso-8859-1?Q?Gr=FC=DFe?= =?utf-8?b?8J+YgA==?=\r\n\r\nx", "Subject: Grüße😀\n\nx"),
        (b"Subject: folded\r\n  and long\r\n\r\nx", "Subject: folded and long\n\nx"),
        ("Subject: größer =?bad?q?x?=\r\n\r\nx".encode(), "Subject: größer x\n\nx"),
        ("Subject: x\r\nContent-Type: text/plain; charset=nonsense\r\n\r\ngrößer".encode("latin-1"), "Subject: x\n\ngrößer"),
        ("Subject: x\r\nContent-Type: text/plain; charset=koi8-r\r\n\r\nмаяк".encode("koi8-r"), "Subject: x\n\nмаяк"),
        (b"no headers at all", "no headers at all"),
    ],
)  # fmt: skip
def test_a_mail_is_read_as_one_sees_it(data: bytes, text: str) -> None:
    assert email.parse(data).text == text


def test_subjects_are_headings_and_those_of_forwarded_mails_stand_below() -> None:
    parsed = email.parse(multipart("mixed", PLAIN, "Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nx"))

    assert [(heading.level, heading.text) for heading in parsed.headings] == [(1, "Subject: The log"), (2, "Subject: inner")]
    assert all(parsed.text[heading.start :].startswith(heading.text) for heading in parsed.headings)


@pytest.mark.parametrize(
    "data",
    [
        multipart("encrypted", "Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1", FILE),
        f"{HEAD}Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\n\r\nxx".encode(),
    ],
)
def test_an_encrypted_mail_says_what_to_do(data: bytes) -> None:
    with pytest.raises(ParsingError, match="save it without encryption") as refusal:
        email.parse(data)

    assert refusal.value.code == "document_encrypted"
