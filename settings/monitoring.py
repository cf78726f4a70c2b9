"""Settings of what is told about a running process: metrics, traces and the log of slow operations."""

from datetime import timedelta

from pydantic import Field, field_validator

from settings.group import Duration, SettingsGroup
from settings.system import split_url


class MonitoringSettings(SettingsGroup):
    metrics_host: str = Field(
        "127.0.0.1",
        validation_alias="METRICS_HOST",
        description="address on which Prometheus finds the metrics; no one else should reach it",
    )
    metrics_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        validation_alias="METRICS_PORT",
        description="port of the metrics, one for each process; 0 takes a free one; no metrics when not set",
    )
    otlp_endpoint: str | None = Field(
        None,
        validation_alias="OTLP_ENDPOINT",
        description="http://collector:4318, which is sent traces by OTLP over HTTP; no traces when not set",
    )
    traces_sampled: float = Field(
        1.0, ge=0, le=1, validation_alias="TRACES_SAMPLED", description="share of the traces that is sent"
    )
    slow_operation: Duration = Field(
        timedelta(seconds=1),
        validation_alias="SLOW_OPERATION",
        description="an operation that takes longer is logged with its slowest statements and a query plan",
    )

    @field_validator("otlp_endpoint")
    @classmethod
    def _check_endpoint(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = split_url(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must be http://host:port or https://host:port")
        return url
