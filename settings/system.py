"""Groups of settings for the operation of the shop: where it runs, what it connects to, what it refuses."""

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Self
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from settings.group import Duration, SettingsGroup

SECRET_LENGTH = 32
REDIS_SCHEMES = ("redis", "rediss", "unix")


def split_url(url: str) -> SplitResult:
    """The parts of a URL; ValueError, without the URL, where it is malformed."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("is no URL") from None
    return parts


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class LogFormat(StrEnum):
    CONSOLE = "console"
    JSON = "json"


class DeploymentSettings(SettingsGroup):
    """Where the shop runs."""

    environment: Environment = Field(
        Environment.DEVELOPMENT,
        validation_alias="ENVIRONMENT",
        description="production refuses demo data and generated secrets",
    )
    var_dir: Path = Field(
        Path("var"), validation_alias="VAR_DIR", description="folder of uploads and a generated secret"
    )

    @property
    def is_production(self) -> bool:
        return self.environment is Environment.PRODUCTION


class ServerSettings(SettingsGroup):
    """How a process serves requests."""

    host: str = Field("127.0.0.1", validation_alias="HOST", description="address to serve on")
    port: int = Field(
        8000, ge=0, le=65535, validation_alias="PORT", description="port to serve on; 0 takes a free one"
    )
    public_url: str | None = Field(
        None,
        validation_alias="PUBLIC_URL",
        description="URL of the shop from outside, for links and call-backs",
    )
    run_worker: bool = Field(
        True,
        validation_alias="RUN_WORKER",
        description="whether serving processes also relay events and run scheduled jobs",
    )
    shutdown_seconds: int = Field(
        10, ge=0, validation_alias="SHUTDOWN_SECONDS", description="time for running requests to finish"
    )

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = split_url(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must be https://host or http://host, with a port or a path where there is one")
        if parts.query or parts.fragment or "@" in parts.netloc or not url.isprintable() or " " in url:
            raise ValueError("holds more than scheme, host, port and path")
        return url

    @property
    def address(self) -> str:
        """The URL of the shop from outside, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")


class DatabaseSettings(SettingsGroup):
    url: str = Field(
        "sqlite+aiosqlite:///var/cartwheel.db",
        validation_alias="DATABASE_URL",
        repr=False,
        description="SQLite file or postgresql://user:password@host/name",
    )
    pool_size: int = Field(
        10, ge=1, le=200, validation_alias="DATABASE_POOL_SIZE", description="connections per process"
    )

    @field_validator("url")
    @classmethod
    def _choose_driver(cls, url: str) -> str:
        scheme, separator, rest = url.partition("://")
        drivers = {"sqlite": "sqlite+aiosqlite", "postgres": "postgresql+asyncpg"}
        drivers |= {"postgresql": "postgresql+asyncpg"} | {driver: driver for driver in drivers.values()}
        if not separator or scheme not in drivers:
            raise ValueError("must begin with sqlite:// or postgresql://")
        try:
            make_url(url)
        except (ArgumentError, ValueError):
            raise ValueError("is no URL of a database") from None
        return f"{drivers[scheme]}://{rest}"


class RedisSettings(SettingsGroup):
    url: str | None = Field(
        None,
        validation_alias="REDIS_URL",
        repr=False,
        description="redis://host:port/0; needed as soon as two processes serve one shop",
    )

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = split_url(url)
        if parts.scheme not in REDIS_SCHEMES or not (parts.hostname or parts.scheme == "unix"):
            raise ValueError("must be redis://host:port/0, rediss://host:port/0 or unix://path")
        if parts.scheme != "unix" and parts.path.strip("/") and not parts.path.strip("/").isdigit():
            raise ValueError("must name its database by a number, as in redis://host:port/0")
        return url


class TokenSettings(SettingsGroup):
    """The key that signs tokens, and how long tokens are valid."""

    secret_key: SecretStr = Field(
        SecretStr(""),
        validation_alias="SECRET_KEY",
        description=f"signs tokens, at least {SECRET_LENGTH} characters; required in production",
    )
    old_secret_key: SecretStr = Field(
        SecretStr(""),
        validation_alias="OLD_SECRET_KEY",
        description="the key before SECRET_KEY was changed; what it has signed stays valid",
    )
    access_lifetime: Duration = Field(
        timedelta(minutes=15),
        validation_alias="ACCESS_TOKEN_LIVES",
        description="lifetime of an access token",
    )
    refresh_lifetime: Duration = Field(
        timedelta(days=30), validation_alias="REFRESH_TOKEN_LIVES", description="lifetime of a refresh token"
    )

    @model_validator(mode="after")
    def _check_length(self) -> Self:
        for name, key in (("SECRET_KEY", self.secret_key), ("OLD_SECRET_KEY", self.old_secret_key)):
            if 0 < len(key.get_secret_value()) < SECRET_LENGTH:
                raise ValueError(f"{name} has fewer than {SECRET_LENGTH} characters")
        return self


class MediaSettings(SettingsGroup):
    """Where uploaded pictures are kept."""

    url: str | None = Field(
        None,
        validation_alias="MEDIA_URL",
        description="s3://bucket/prefix keeps uploads there; in VAR_DIR/media when not set",
    )
    s3_endpoint: str | None = Field(
        None,
        validation_alias="S3_ENDPOINT",
        description="https://host of another S3-compatible store than Amazon's",
    )
    s3_region: str = Field("us-east-1", validation_alias="S3_REGION", description="region of the bucket")
    s3_access_key_id: SecretStr = Field(
        SecretStr(""), validation_alias="S3_ACCESS_KEY_ID", description="access key of the object store"
    )
    s3_secret_access_key: SecretStr = Field(
        SecretStr(""),
        validation_alias="S3_SECRET_ACCESS_KEY",
        description="signs requests to the object store",
    )

    @model_validator(mode="after")
    def _check_bucket(self) -> Self:
        if self.url is None:
            return self
        scheme, _, place = self.url.partition("://")
        if scheme != "s3" or not place.strip("/"):
            raise ValueError("MEDIA_URL must be s3://bucket or s3://bucket/prefix")
        if not (self.s3_access_key_id.get_secret_value() and self.s3_secret_access_key.get_secret_value()):
            raise ValueError("S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY are required with MEDIA_URL")
        if self.s3_endpoint and not self.s3_endpoint.startswith(("https://", "http://")):
            raise ValueError("S3_ENDPOINT must begin with https:// or http://")
        return self


class LogSettings(SettingsGroup):
    level: str = Field(
        "INFO",
        pattern="^(DEBUG|INFO|WARNING|ERROR)$",
        validation_alias="LOG_LEVEL",
        description="lowest level that is logged",
    )
    format: LogFormat | None = Field(
        None,
        validation_alias="LOG_FORMAT",
        description="console or json; console in development, json in production when not set",
    )


class LimitSettings(SettingsGroup):
    """The largest request bodies, in bytes."""

    body_bytes: int = Field(
        1_000_000, ge=1_000, validation_alias="BODY_LIMIT_BYTES", description="largest request body"
    )
    upload_bytes: int = Field(
        10_000_000, ge=1_000, validation_alias="UPLOAD_LIMIT_BYTES", description="largest uploaded picture"
    )
    import_bytes: int = Field(
        100_000_000, ge=1_000, validation_alias="IMPORT_LIMIT_BYTES", description="largest product file"
    )


class CachingSettings(SettingsGroup):
    public_max_age: Duration = Field(
        timedelta(minutes=5),
        validation_alias="PUBLIC_MAX_AGE",
        description="the longest time that a CDN may keep a public answer",
    )
