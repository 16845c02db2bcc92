"""Source code and settings."""

from functools import partial

from tests.documents.real_file import ARABIC, JAPANESE, KEEPER, RealFile, Writers, facts

PYTHON = f'def count(ships: list[str]) -> int:\n    """{KEEPER}"""\n\n    return len(ships)\n'
GO = f"package main\n\n// {ARABIC}\nfunc main() {{\n\tprintln(1)\n}}\n"
SQL = f"CREATE TABLE ship (\n    name text -- {JAPANESE}\n);\n"
YAML = "services:\n  lamp:\n    watts: 1000\n"


def code(filename: str, text: str) -> RealFile:
    return RealFile(filename, text.replace("\n", "\r\n").encode(), facts(text))


def declared() -> RealFile:
    text = "# -*- coding: euc-jp -*-\nname = '灯台'\n"
    return RealFile("old.py", text.encode("euc-jp"), facts(text))


FILES: Writers = {
    "py": partial(code, "count.py", PYTHON),
    "py in euc-jp": declared,
    "go": partial(code, "main.go", GO),
    "sql": partial(code, "ship.sql", SQL),
    "yaml": partial(code, "lamp.yaml", YAML),
    "toml": partial(code, "lamp.toml", "[lamp]\nwatts = 1000\n"),
    "Makefile": partial(code, "Makefile", "light:\n\tswitch on\n"),
    "srt": partial(code, "talk.srt", "1\n00:00:01,000 --> 00:00:02,000\nThe lamp is lit.\n"),
}
