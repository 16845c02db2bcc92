"""What a tab knows of the answers that it reads."""

from streamlit.testing.v1 import AppTest


def _ends_meanwhile() -> None:
    import httpx2
    import streamlit as st

    from ui.client.api import Api
    from ui.client.following import Reading
    from ui.parts import asking

    reading = Reading(Api(httpx2.Client(verify=False), ""), "session")
    reading.message_id = "answer"
    asking._tab().readings["session"] = reading
    before = asking.over("session")
    behind = [{"id": "answer", "role": "assistant", "status": "streaming", "content": ""}]
    reading.over = True
    st.text(f"still read: {asking.current('session', behind, over=before) is reading}")
    whole = [{**behind[0], "status": "complete", "content": "krill"}]
    st.text(f"settled: {asking.current('session', whole, over=asking.over('session')) is None}")


def test_an_answer_that_ends_while_the_messages_are_read_is_not_settled_by_those() -> None:
    page = AppTest.from_function(_ends_meanwhile).run()

    assert [one.value for one in page.text] == ["still read: True", "settled: True"], page.exception
