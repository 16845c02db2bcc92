"""What the pages call things. Whoever changes a label changes it here, and nowhere else in the tests of the journey."""

import re


def _(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


# The way in and out, on the API's own pages and on the welcome page.
OPEN_AN_ACCOUNT = _(r"^open an account$")
SIGN_IN = _(r"^sign in$")
SIGN_OUT = _(r"\bsign out$")
USERNAME = _(r"^username")
EMAIL = _(r"^email")
PASSWORD = _(r"^password")
OPEN_THE_ACCOUNT = _(r"^open the account$")

# The pages, as the navigation names them.
CHAT = _(r"^chat$")
DOCUMENTS = _(r"^documents$")
ACCOUNT = _(r"^account$")
ADMINISTRATION = _(r"^administration$")

# Chat.
ASK = _(r"^ask about your documents")
STOP = _(r"^stop\b")
AGAIN = _(r"^again$|^give this answer anew$")
STOPPED = _(r"stopped")
CLOSE = _(r"^close$")
MENU = _(r"^what to do with")
RENAME = _(r"\brename$")
TITLE = _(r"^title$")
DELETE = _(r"\bdelete$")

# Documents.
AT_WORK = _(r"\bbeing read$")
READY = _(r"\bready$")
FAILED = _(r"\bfailed$")

# Account.
API_KEYS = _(r"api keys")
USAGE = _(r"^usage")
KEY_NAME = _(r"^name of a new key$")
MAKE_KEY = _(r"^make the key$")
KEPT = _(r"^i have kept it$")
