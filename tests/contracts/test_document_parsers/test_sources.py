"""Source code, settings, LaTeX and reStructuredText: kept to the letter, with headings that name what a line belongs to."""

import pytest

from backend.adapters.document_parsers import latex, rst, settings, source, sql
from backend.ports.document_parser import ParsedDocument


def headings(parsed: ParsedDocument) -> list[tuple[int, str]]:
    return [(heading.level, heading.text) for heading in parsed.headings]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import x\n\nclass A(B):\n    def f(self) -> int:\n        return 1\n", [(1, "class A(B)"), (2, "def f(self) -> int")]),
        ("async def go():\n    # class of problems\n    return {}\n", [(1, "async def go()")]),
        ("export default function hi(a) {\n  if (a) {\n", [(1, "export default function hi(a)")]),
        ("export const f = async (a, b) => {\nconst x = 3\n", [(1, "export const f = async (a, b) =>")]),
        ("func (r *Repo) Get(id string) error {\n\ntype Point struct {\n",
         [(1, "func (r *Repo) Get(id string) error"), (1, "type Point struct")]),
        ("impl<T> Foo for Bar<T> {\n    pub fn run(&self) -> T {\n",
         [(1, "impl<T> Foo for Bar<T>"), (2, "pub fn run(&self) -> T")]),
        ("public class A {\n    public static void main(String[] args) {\n        call(x);\n",
         [(1, "public class A"), (2, "public static void main(String[] args)")]),
        ("#include <x>\nint main(int argc, char **argv)\n{\n    return f(1);\n}\nextern int g(void);\n",
         [(1, "int main(int argc, char **argv)")]),
        ("module A\n  def self.b\n    puts 1\n", [(1, "module A"), (2, "def self.b")]),
        ("greet() {\n  echo hi\n}\n", [(1, "greet()")]),
        ("defmodule My.App do\n  def run(x) do\n", [(1, "defmodule My.App do"), (2, "def run(x) do")]),
        ("f <- function(x) {\n", [(1, "f <- function(x)")]),
        ("(defn area [r] (* r r))\n", [(1, "(defn area [r] (* r r))")]),
        ('resource "aws_x" "y" {\n', [(1, 'resource "aws_x" "y"')]),
        ("message Ship {\n  string name = 1;\n", [(1, "message Ship")]),
        ("class of problems that remain\ntype = 3\nreturn foo(bar)\nfor (x in y) {\n", []),
    ],
)  # fmt: skip
def test_code_stays_as_it_is_and_its_definitions_are_headings(code: str, expected: list[tuple[int, str]]) -> None:
    parsed = source.parse(code.replace("\n", "\r\n").encode())

    assert parsed.text == code
    assert headings(parsed) == expected
    assert all(parsed.text[heading.start :].lstrip().startswith(heading.text) for heading in parsed.headings)


@pytest.mark.parametrize("line", ["# -*- coding: euc-jp -*-\n", "#!/usr/bin/python\n# vim: set fileencoding=euc-jp :\n"])
def test_python_is_decoded_as_it_declares(line: str) -> None:
    assert source.parse((line + "x = '海'\n").encode("euc-jp")).text == line + "x = '海'\n"


def test_sql_is_cited_by_what_it_creates() -> None:
    parsed = sql.parse(b"create table if not exists ship (id int);\nCREATE OR REPLACE FUNCTION f() RETURNS int AS $$\nselect 1;\n")

    assert headings(parsed) == [(1, "create table if not exists ship"), (1, "CREATE OR REPLACE FUNCTION f")]


def test_settings_are_cited_by_their_sections() -> None:
    parsed = settings.parse(b"[main]\na = [1]\n[[tool.x]]\nservices:\n  lamp:\n    on: 1\nkey: value\n")

    assert headings(parsed) == [(1, "main"), (1, "tool.x"), (1, "services")]


def test_latex_is_cited_by_its_sections() -> None:
    parsed = latex.parse("\\usepackage[latin1]{inputenc}\n\\chapter{Größe}\n\\section*{Two}\nText.\n".encode("latin-1"))

    assert headings(parsed) == [(1, "Größe"), (2, "Two")]


RST = """=====
Title
=====

Part
----

text before a table

===== =====
A     B
===== =====
1     2
===== =====

----

Deeper
~~~~~~
a paragraph of
two lines
---------
Next
----
- item
"""


def test_restructured_text_stays_as_it_is_and_its_titles_are_ranked_as_they_appear() -> None:
    parsed = rst.parse(RST.encode())

    assert parsed.text == RST
    assert headings(parsed) == [(1, "Title"), (2, "Part"), (3, "Deeper")]
