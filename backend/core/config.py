"""Settings: from the environment and from ``.env``, in one place, checked at start."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from backend.core.browser_settings import BrowserSettings
from backend.core.errors import ConfigurationError
from backend.core.metrics_settings import MetricsSettings
from backend.core.model_settings import OPENAI_COMPATIBLE, ModelSettings
from backend.core.named_urls import named_urls

EmbedderName = Literal["ollama", "openai", "vllm", "llamacpp", "onnx", "hashing"]
"""What embeds. All but `hashing` have several models."""


class Settings(BrowserSettings, MetricsSettings, ModelSettings):
    """Every setting of the product. Names in the environment are these, in capitals, without a prefix."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore")

    environment: Literal["development", "production"] = Field("development", description="`production` refuses unsafe defaults.")
    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="The port to listen on; 0 takes a free one.")
    data_dir: Path = Field(Path("data"), description="Where the embedded servers and the uploaded files live.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="How much is logged.")
    log_format: Literal["auto", "console", "json"] = Field("auto", description="`auto`: console on a terminal, else JSON lines.")

    database_url: SecretStr | None = Field(
        None, description="postgresql://user:password@host/name; without it PostgreSQL is embedded."
    )
    database_owner_url: SecretStr | None = Field(None, description="The same with the role that owns the tables, for migrations.")
    database_direct_url: SecretStr | None = Field(
        None, description="The same past a pooler: set it where DATABASE_URL names one that pools transactions, such as PgBouncer."
    )
    database_pool_size: int = Field(10, ge=1, le=200, description="Connections of one process.")
    chroma_url: str | None = Field(
        None,
        description="http://host:port, or several, comma-separated, which share the accounts; without it Chroma is embedded.",
    )
    blob_url: str | None = Field(None, description="s3://bucket/prefix or file:///folder; without it files live in DATA_DIR.")
    redis_url: SecretStr | None = Field(
        None, description="redis://host:port/0; all processes then share the limits' counts and what running answers say."
    )
    worker: bool = Field(True, description="Run the worker, which indexes and answers in the background, inside the API process.")
    worker_concurrency: int = Field(2, ge=1, le=64, description="Jobs at the same time in one worker.")
    api_processes: int = Field(1, ge=1, le=64, description="API processes of one `docent serve`, on one address; also `--workers`.")

    secret_key: SecretStr | None = Field(
        None, description="Signs access tokens; at least 32 characters. Embedded: made and kept in DATA_DIR."
    )
    access_token_expire_minutes: int = Field(30, ge=1, le=1440, description="Lifetime of an access token.")
    refresh_token_expire_days: int = Field(30, ge=1, le=365, description="Lifetime of a sign-in that is not used.")
    registration_open: bool = Field(True, description="Whether strangers may register.")
    docs_enabled: bool | None = Field(None, description="Serve /docs, /redoc and /openapi.json; unset: except in production.")
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Origins of browsers that may call, comma-separated."
    )
    forwarded_allow_ips: str = Field(
        "", description="Addresses of proxies whose X-Forwarded-* headers are believed, comma-separated."
    )

    chat_model: str = Field("llama3.2:1b", description="The language model, as its provider names it.")
    chat_window: int | None = Field(
        None, ge=512, le=2_000_000, description="Context window in tokens; without it the loaded one, else the model's up to 8192."
    )
    chat_max_tokens: int = Field(1024, ge=16, le=131_072, description="The longest answer, in tokens.")
    chat_first_token_seconds: float = Field(120, gt=0, le=3600, description="How long to wait for the model's first token.")
    chat_between_tokens_seconds: float = Field(60, gt=0, le=3600, description="How long to wait for each further token.")
    stream_grace_seconds: float = Field(
        30, ge=0, le=600, description="How long a resumable answer goes on after its last reader has left."
    )
    chat_titles: Literal["auto", "off"] = Field(
        "auto",
        description="`auto`: the language model names conversations after their first answer; `off`: their first question does.",
    )
    ollama_url: str = Field("http://127.0.0.1:11434", description="Where Ollama answers.")
    embedder: Literal["auto", EmbedderName] = Field(
        "auto",
        description="`auto`: Ollama if it has EMBEDDING_MODEL, else hashing. The first choice stays until `docent reindex`.",
    )
    embedding_model: str = Field("nomic-embed-text", description="The embedding model, as its provider names it.")
    search_exact_chunks: int = Field(
        2000,
        ge=0,
        le=100_000,
        description="Accounts of up to so many passages are searched by meaning in PostgreSQL, exactly; Chroma is asked of more.",
    )
    search_dense_seconds: float = Field(
        10, gt=0, le=600, description="How long the search by meaning may take; then the one by words answers alone."
    )
    search_lexical_seconds: float = Field(
        10, gt=0, le=600, description="How long the search by words may take; then the one by meaning answers alone."
    )
    onnx_models: Path = Field(
        Path("models"), description="Holds a folder for each ONNX model; EMBEDDING_MODEL names one, where EMBEDDER is `onnx`."
    )

    limits_enabled: bool = Field(True, description="Whether tiers and throttles limit anything; `false` is for load tests.")
    max_upload_bytes: int = Field(100_000_000, ge=1, description="The largest file that is accepted.")
    max_body_bytes: int = Field(1_048_576, ge=65_536, le=67_108_864, description="The largest request body that is not an upload.")
    body_idle_seconds: float = Field(20, gt=0, le=600, description="How long a client may pause while it sends a body.")
    body_total_seconds: float = Field(60, gt=0, le=3600, description="How long a body may take that is not an upload.")
    header_seconds: float = Field(20, gt=0, le=600, description="How long a client may take to send the head of a request.")
    read_idle_seconds: float = Field(60, gt=0, le=3600, description="How long a client may leave unread what it is sent.")
    max_connections: int = Field(4096, ge=1, le=1_000_000, description="Connections of one process; more get a 503.")

    parser_memory_bytes: int = Field(1_073_741_824, ge=67_108_864, description="Memory of the child process that reads a document.")
    parser_timeout_seconds: float = Field(120, gt=0, le=3600, description="How long reading a document may take.")
    status_services: SecretStr | None = Field(
        None, description="Services of your own that `/services/status` asks as well: name=http://host/path, comma-separated."
    )
    failpoints: str = Field("", description="For tests: places to fail at, as `index.stored=kill@2`. Production refuses any.")
    shutdown_grace_seconds: float = Field(10, ge=0, le=300, description="How long running answers and jobs may go on at a stop.")

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split_commas(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @property
    def production(self) -> bool:
        """Whether unsafe defaults are refused."""
        return self.environment == "production"

    @property
    def measured(self) -> bool:
        """Whether there are measurements to read."""
        if self.metrics_enabled is not None:
            return self.metrics_enabled
        return not self.production or self.metrics_token is not None

    @property
    def docs_served(self) -> bool:
        """Whether the API describes itself to anybody who asks."""
        return not self.production if self.docs_enabled is None else self.docs_enabled

    def check(self) -> None:
        """Refuse what cannot work or is not safe.

        Raises:
            ConfigurationError: With a sentence that names the setting and says what to do.
        """
        self.check_providers()
        if self.embedder in OPENAI_COMPATIBLE:
            self._check_embedder()
        if self.secret_key is not None and len(self.secret_key.get_secret_value()) < 32:
            raise ConfigurationError("SECRET_KEY is too short: use at least 32 random characters.")
        self._check_addresses()
        if self.production:
            self._check_production()

    def _check_addresses(self) -> None:
        if self.redis_url is not None and not self.redis_url.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise ConfigurationError("REDIS_URL has to begin with redis://, rediss:// or unix://")
        if self.status_services is not None:
            named_urls("STATUS_SERVICES", self.status_services.get_secret_value())
        self.check_browser()
        for url in filter(None, (self.database_url, self.database_owner_url, self.database_direct_url)):
            asyncpg_url(url.get_secret_value())
        if self.database_direct_url is not None and self.database_url is None:
            raise ConfigurationError("DATABASE_DIRECT_URL is set, and DATABASE_URL is not: that one names the pooler.")

    def _check_embedder(self) -> None:
        if self.embedder not in self.providers_set_up:
            raise ConfigurationError(f"EMBEDDER is `{self.embedder}`, which is not set up: set {self.embedder.upper()}_BASE_URL.")
        if "embedding_model" not in self.model_fields_set:
            raise ConfigurationError(f"EMBEDDER is `{self.embedder}`: name one of its models in EMBEDDING_MODEL.")

    def _check_production(self) -> None:
        if self.secret_key is None:
            raise ConfigurationError("SECRET_KEY is missing: production does not make one up. Set at least 32 random characters.")
        if self.failpoints:
            raise ConfigurationError("FAILPOINTS is set: that is for tests, and production refuses it.")
        if not self.limits_enabled:
            raise ConfigurationError("LIMITS_ENABLED is false: that is for load tests, and production refuses it.")
        if "*" in self.cors_origins:
            raise ConfigurationError("CORS_ORIGINS is `*`: production wants the origins by name.")
        for name in ("chat_provider", "embedder"):
            if getattr(self, name) == "auto":
                raise ConfigurationError(f"{name.upper()} is `auto`: production wants an explicit choice.")


def asyncpg_url(url: str) -> str:
    """Return the same database address with SQLAlchemy's asyncpg driver: ``postgresql://`` alone would mean psycopg."""
    scheme, separator, rest = url.partition("://")
    if scheme.split("+")[0] not in {"postgresql", "postgres"} or not separator:
        raise ConfigurationError("DATABASE_URL has to begin with postgresql://")
    return f"postgresql+asyncpg://{rest}"


def plain_url(url: str) -> str:
    """Return the same database address as libpq reads it."""
    return "postgresql://" + url.partition("://")[2]
