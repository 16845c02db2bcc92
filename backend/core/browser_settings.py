"""Settings of what people's browsers get."""

import re
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings

from backend.core.errors import ConfigurationError

FRONTEND_CSP = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; media-src 'self' blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'"
)
# Paths of this server as browsers resolve them, with dots and slashes to spare.
_LOOPING = re.compile(r"/(\.{0,2}/|\.{1,2}\Z)*(sign-(in|up|out))?/*([?#]\S*)?")
_WEB = re.compile(r"https?://[^/\s]\S*")


class BrowserSettings(BaseSettings):
    """The part of the settings that says what a browser gets, and where."""

    ui_enabled: bool | None = Field(
        None,
        description="Run the user interface beside the API; unset: where it is installed, but not in production, nor where UI_URL "
        "or FRONTEND_DIR names another.",
    )
    ui_port: int | None = Field(
        None, ge=0, le=65535, description="The port of the user interface; unset: 8501, or a free one where that is taken."
    )
    ui_api_url: str | None = Field(
        None, description="Where `docent ui`, which runs the user interface alone, reaches the API; unset: this machine, at PORT."
    )
    ui_public_api_url: str | None = Field(
        None,
        description="Where browsers reach the API; unset: the host by which they reach the user interface, at the API's port. Both "
        "have to be one host: cookies know no other.",
    )
    ui_url: str | None = Field(
        None,
        description="Where browsers that open `/` are sent: an http(s) address, or a path of this server such as /docs; unset: to "
        "the user interface that runs beside the API.",
    )
    frontend_dir: Path | None = Field(
        None, description="A folder with an index.html: the web app that browsers get at `/` and wherever the API has nothing."
    )
    frontend_csp: str = Field(
        FRONTEND_CSP, description="The Content-Security-Policy of what FRONTEND_DIR holds: what its pages may load and call."
    )

    def check_frontend(self) -> None:
        """Refuse a FRONTEND_DIR that is no web app. Only processes that serve it need it.

        Raises:
            ConfigurationError: There is no such folder, or no index.html in it.
        """
        if self.frontend_dir is not None and not (self.frontend_dir.expanduser() / "index.html").is_file():
            raise ConfigurationError(
                f"FRONTEND_DIR is {self.frontend_dir}, and there is no index.html in it. Build the app, or correct it."
            )

    def check_browser(self) -> None:
        """Refuse addresses that no browser can follow.

        Raises:
            ConfigurationError: With a sentence that names the setting and says what to do.
        """
        if self.ui_url is not None and not (_WEB.fullmatch(self.ui_url) or re.fullmatch(r"/(?![/\\])\S*", self.ui_url)):
            raise ConfigurationError("UI_URL has to begin with http:// or https://, or to be a path of this server, such as /ui.")
        if self.ui_url is not None and _LOOPING.fullmatch(self.ui_url):
            raise ConfigurationError("UI_URL is a page that leads back to `/`. Leave it out, or name where the user interface is.")
        for name in ("ui_api_url", "ui_public_api_url"):
            address = getattr(self, name)
            if address is not None and not _WEB.fullmatch(address):
                raise ConfigurationError(f"{name.upper()} has to begin with http:// or https://")
