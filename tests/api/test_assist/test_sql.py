"""SQL over the wire."""

from typing import Any

from tests.support.ollama import Fault, StandInOllama, Thinking
from tests.support.product import Account

SQL = "/api/v1/ai/sql/assist"
SCHEMA = "CREATE TABLE users (id int, name text);"


async def assisted(account: Account, **body: object) -> dict[str, Any]:
    response = await account.client.post(SQL, json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def test_sql_comes_clean_with_an_honest_verdict(alice: Account, ollama: StandInOllama) -> None:
    for reply, sql, valid, statements in (
        ("Sure:\n```sql\nSELECT count(*) FROM users;\n```\nIt counts.", "SELECT count(*) FROM users;", True, 1),
        ("```\nSELECT 1;\nSELECT 2;\n```", "SELECT 1;\nSELECT 2;", True, 2),
        ("```sql\nSELECT count(* FROM users\n```", "SELECT count(* FROM users", False, None),
        ("```sql\nVACUUM users\n```", "VACUUM users", None, 1),
        ("I cannot do that.", None, None, 0),
    ):
        ollama.reply = [Thinking("Hm."), reply]
        answer = await assisted(alice, question="How many users?", schema=SCHEMA, dialect="postgresql")
        assert (answer["sql"], answer["valid"], answer["statements"]) == (sql, valid, statements)
        assert (answer["error"] is None, answer["dialect"], answer["thinking"]) == (valid is True, "postgresql", "Hm.")
    assert answer["explanation"] == "I cannot do that."
    system, user = ollama.requests[-1].json["messages"]
    assert "SQL for postgres" in system["content"]
    assert user["content"] == f"<schema>\n{SCHEMA}\n</schema>\n\n<question>\nHow many users?\n</question>"
    assert ollama.requests[-1].json["options"]["temperature"] == 0


async def test_what_is_fixed_is_read_first_and_the_model_told(alice: Account, ollama: StandInOllama) -> None:
    ollama.reply = (
        "You wrote:\n```sql\nSELECT name FROM WHERE id = 1\n```\nBetter:\n```sql\nSELECT name FROM users WHERE id = 1\n```"
    )

    answer = await assisted(alice, task="fix", sql="SELECT name\nFROM WHERE id = 1", dialect="postgres")

    assert (answer["sql"], answer["valid"]) == ("SELECT name FROM users WHERE id = 1", True)
    told = ollama.requests[-1].json["messages"][-1]["content"]
    assert "A parser says: Expected table name. (line 2, column 6)" in told


async def test_to_explain_keeps_the_sql_as_it_was_given(alice: Account, ollama: StandInOllama) -> None:
    ollama.reply = "It lists:\n```sql\nselect 2\n```"

    answer = await assisted(alice, task="explain", sql="  select  1 ", dialect="mysql")

    assert (answer["sql"], answer["valid"], answer["explanation"]) == ("  select  1 ", True, "It lists:\n```sql\nselect 2\n```")


async def test_sql_that_was_cut_by_its_length_is_incomplete(alice: Account, ollama: StandInOllama) -> None:
    ollama.reply = ["```sql\n", "SELECT name ", "FROM "]
    ollama.fail("/api/chat", Fault(done_reason="length"), times=1)

    answer = await assisted(alice, question="Names?")

    assert (answer["sql"], answer["status"], answer["done_reason"], answer["valid"]) == (
        "SELECT name FROM",
        "incomplete",
        "length",
        False,
    )


async def test_the_field_schema_is_called_so_in_the_description(alice: Account) -> None:
    described = (await alice.client.get("/openapi.json")).json()["components"]["schemas"]["SqlAssistIn"]["properties"]

    assert "schema" in described
    assert "table_schema" not in described
