"""What the pages call things. Whoever changes a label changes it here, and nowhere else in the tests of the journey."""

import re


def _(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


# The way in and out, on the API's own pages and on the welcome page.
OPEN_AN_ACCOUNT = _(r"^open an account$")
SIGN_IN = _(r"^sign in$")
SIGN_OUT = _(r"^sign out\b")
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
AGAIN = _(r"^again$|^try again$|^regenerate|^give .* anew")
STOPPED = _(r"stopped")
CLOSE = _(r"^close$")
SETTINGS = _(r"^conversation$|^more$|^options|^settings|^menu")
RENAME = _(r"^rename")
TITLE = _(r"^title$|^new title|^name")
SAVE = _(r"^save$|^rename$")
DELETE = _(r"^delete")
REALLY_DELETE = _(r"^delete$|^delete (it|everything|this)|^yes")

# Documents.
UPLOAD = _(r"^upload \d+ files?$")
AT_WORK = _(r"being read|reading the file|indexing its passages|indexing|waiting")
READY = _(r"\bready\b")
FAILED = _(r"\bfailed\b")

# Account.
API_KEYS = _(r"api keys")
SIGN_INS = _(r"sign-ins")
USAGE = _(r"^usage")
KEY_NAME = _(r"^name")
MAKE_KEY = _(r"^(make|create) (the|a) key$|^make$|^create$")
SERVICES = _(r"^services")
USERS = _(r"^users")
