"""Where the API is, for this process and for the browser."""

import os
from urllib.parse import urlsplit

import streamlit as st


def api_url() -> str:
    """Return the address at which this process reaches the API."""
    return os.environ.get("UI_API_URL", "http://127.0.0.1:8000").rstrip("/")


def public_url() -> str:
    """Return the address at which the browser reaches the API: as it is set, else the same host with the API's port.

    Both have to be one host, for that is whom the browser shows its cookie to.
    """
    told = os.environ.get("UI_PUBLIC_API_URL")
    if told is not None:
        return told.rstrip("/")
    here = urlsplit(st.context.url or "http://127.0.0.1:8501")
    host = f"[{here.hostname}]" if ":" in (here.hostname or "") else here.hostname
    port = urlsplit(api_url()).port
    return f"{here.scheme}://{host}" + (f":{port}" if port else "")
