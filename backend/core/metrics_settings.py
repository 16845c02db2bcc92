"""Settings of what is measured and traced."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings


class MetricsSettings(BaseSettings):
    """The part of the settings that says who may read the measurements."""

    metrics_enabled: bool | None = Field(
        None, description="Measure, and serve /metrics for Prometheus; unset: except in production without METRICS_TOKEN."
    )
    metrics_token: SecretStr | None = Field(
        None, description="The bearer token that /metrics asks for; without one, whoever reaches the port may read it."
    )
    metrics_port: int | None = Field(
        None, ge=1, le=65535, description="Where `docent worker` serves its measurements, on HOST; unset: nowhere."
    )
    otel_exporter_otlp_endpoint: str | None = Field(
        None, description="Where a collector takes OpenTelemetry's traces, such as http://localhost:4318; unset: nothing is traced."
    )
