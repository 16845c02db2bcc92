"""E-mail, by the standard library's writer."""

from email.message import EmailMessage

from tests.documents.real_file import FAMILY, HEBREW, KEEPER, RUSSIAN, SENTENCES, RealFile, Writers, facts


def message(subject: str, text: str, charset: str = "utf-8") -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "Jörg Łoś <joerg@example.org>"
    mail["To"] = "keeper@example.org"
    mail["Subject"] = subject
    mail["Date"] = "Mon, 04 Nov 2024 10:00:00 +0100"
    mail.set_content(text, charset=charset)
    return mail


def simple() -> RealFile:
    mail = message(f"Log: {FAMILY}", "\n".join(SENTENCES))
    mail.add_alternative("<p>The same in <b>HTML</b></p>", subtype="html")
    mail.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="größe.pdf")
    found = facts("From: Jörg Łoś <joerg@example.org>", f"Subject: Log: {FAMILY}", *SENTENCES, "Attachment: größe.pdf")
    return RealFile("log.eml", mail.as_bytes(), found)


def forwarded() -> RealFile:
    mail = message("Fwd: log", KEEPER)
    mail.add_attachment(message("The log", RUSSIAN, "koi8-r"))
    return RealFile("forwarded.eml", mail.as_bytes(), facts("Subject: Fwd: log", KEEPER, "Subject: The log", RUSSIAN))


def html_only() -> RealFile:
    mail = message("Page", "x")
    mail.set_content(f"<html><body><h1>Log</h1><p>{HEBREW}</p></body></html>", subtype="html", charset="iso-8859-8")
    return RealFile("page.eml", mail.as_bytes(), facts("Subject: Page", "Log", HEBREW))


FILES: Writers = {"eml": simple, "eml with a forwarded one": forwarded, "eml in html": html_only}
