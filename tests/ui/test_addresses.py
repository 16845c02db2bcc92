"""Links of the pages lead to where the browser reaches the API."""

import pytest
from streamlit.testing.v1 import AppTest


def public_url_shown() -> None:
    import streamlit as st

    from ui.settings import public_url

    st.text(public_url())


@pytest.mark.parametrize(
    ("page", "api", "public", "leads_to"),
    [
        ("http://localhost:8501/", "http://127.0.0.1:8000", None, "http://localhost:8000"),
        ("http://127.0.0.1:8501/documents", "http://127.0.0.1:9000/", None, "http://127.0.0.1:9000"),
        ("http://[::1]:8501/", "http://[::1]:8000", None, "http://[::1]:8000"),
        ("http://docent.lan:8501/", "http://api:8000", None, "http://docent.lan:8000"),
        ("https://docent.example.com/", "http://api:8000", "https://docent.example.com/", "https://docent.example.com"),
        ("https://example.com/docent/", "http://127.0.0.1:8000", "https://example.com", "https://example.com"),
    ],
)
def test_links_lead_to_the_host_that_the_browser_knows(
    page: str, api: str, public: str | None, leads_to: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UI_API_URL", api)
    monkeypatch.delenv("UI_PUBLIC_API_URL", raising=False)
    if public is not None:
        monkeypatch.setenv("UI_PUBLIC_API_URL", public)
    app = AppTest.from_function(public_url_shown, default_timeout=60)
    app.context = {"url": page}

    assert [text.value for text in app.run().text] == [leads_to]
