"""What the place we run in tells us: the only reader of the environment."""

import secrets
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from models.money import CurrencyCode

SECRET_LENGTH = 32


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class LogFormat(StrEnum):
    CONSOLE = "console"
    JSON = "json"


class WrongSetting(Exception):
    """A setting that cannot be used, by its name."""


def days(number: float) -> timedelta:
    return timedelta(days=number)


def _seconds(given: object) -> object:
    """A plain number means seconds; pydantic knows the other spellings."""
    if isinstance(given, str):
        with suppress(ValueError):
            return timedelta(seconds=float(given))
    return given


Duration = Annotated[timedelta, BeforeValidator(_seconds), Field(gt=timedelta())]


class Settings(BaseSettings):
    """Every setting, by environment variable or `.env`. Durations: seconds or ISO 8601 ("PT30M")."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True)

    environment: Environment = Field(
        Environment.DEVELOPMENT, description="production refuses demo data and generated secrets"
    )
    host: str = Field("127.0.0.1", description="address to serve on")
    port: int = Field(8000, ge=0, le=65535, description="port to serve on; 0 takes a free one")
    public_url: str | None = Field(None, description="how the outside reaches us, for links and call-backs")
    database_url: str = Field(
        "sqlite+aiosqlite:///var/cartwheel.db",
        description="SQLite file or postgresql://user:password@host/name",
    )
    database_pool_size: int = Field(10, ge=1, le=200, description="connections per process")
    redis_url: str | None = Field(
        None, description="redis://host:port/0; needed as soon as two processes serve one shop"
    )
    secret_key: SecretStr = Field(
        SecretStr(""),
        description=f"signs tokens, at least {SECRET_LENGTH} characters; required in production",
    )
    var_dir: Path = Field(Path("var"), description="where uploads and a generated secret are kept")
    media_url: str | None = Field(
        None, description="s3://bucket/prefix keeps uploads there; in VAR_DIR/media when not set"
    )
    s3_endpoint: str | None = Field(
        None, description="https://host of another S3-compatible store than Amazon's"
    )
    s3_region: str = Field("us-east-1", description="region of the bucket")
    s3_access_key_id: SecretStr = Field(SecretStr(""), description="who we are to the object store")
    s3_secret_access_key: SecretStr = Field(SecretStr(""), description="signs what we ask of it")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="least level logged")
    log_format: LogFormat | None = Field(
        None, description="console or json; console in development, json in production when not set"
    )
    run_worker: bool = Field(True, description="whether serving processes also relay events and run timers")
    sandbox_payments: bool | None = Field(
        None, description="whether SANDBOX is offered; only in development when not set"
    )

    default_currency: CurrencyCode = Field(CurrencyCode.CNY, description="where a client names none")
    default_language: str = Field("zh-CN", description="language of texts that name none")

    time_zone: str = Field("Asia/Shanghai", description="where the days of reports begin and end")
    count_every: Duration = Field(
        timedelta(seconds=5),
        description="how often views are written down; a process that is killed forgets those of this time",
    )

    best_selling_window: Duration = Field(
        days(30), description="what sells best is what was sold most within this time"
    )
    sales_counted_every: Duration = Field(
        timedelta(minutes=10), description="how often what sells best is found out anew"
    )

    access_token_lives: Duration = Field(
        timedelta(minutes=15), description="how long an access token is good"
    )
    refresh_token_lives: Duration = Field(days(30), description="how long a refresh token is good")

    guest_cart_lives: Duration = Field(days(30), description="a guest's cart is forgotten after so long")
    unpaid_order_closes_after: Duration = Field(timedelta(minutes=30), description="then stock is released")
    flash_order_closes_after: Duration = Field(
        timedelta(minutes=10), description="the same for orders with something from a flash sale"
    )
    receipt_confirmed_after: Duration = Field(days(10), description="after delivery, by itself")
    return_window: Duration = Field(days(7), description="for returns without a reason, after receipt")
    quality_window: Duration = Field(days(15), description="for faults, after receipt")
    ticket_agreed_after: Duration = Field(days(2), description="an unanswered ticket is agreed by itself")
    return_shipped_within: Duration = Field(days(7), description="or the ticket is closed")
    return_accepted_after: Duration = Field(days(10), description="goods on their way back are accepted")

    event_lease: Duration = Field(
        timedelta(seconds=30), description="another process takes over an event after this time"
    )
    relay_pause: Duration = Field(timedelta(seconds=1), description="how often waiting events are looked for")
    timer_pause: Duration = Field(timedelta(seconds=5), description="how often due rows are looked for")
    bell_pause: Duration = Field(
        timedelta(seconds=30), description="how often a quiet subscription looks for events by itself"
    )
    cart_look_every: Duration = Field(
        timedelta(seconds=1),
        description="how often at most a watcher of a cart hears of prices and stock",
    )
    payment_query_every: Duration = Field(
        timedelta(minutes=1), description="how often an unsettled payment is asked after"
    )
    refund_retry_after: Duration = Field(
        timedelta(minutes=5), description="until a failed refund is tried again"
    )
    carrier_poll_every: Duration = Field(timedelta(seconds=10), description="how often carriers are asked")
    simulated_carrier_step: Duration = Field(
        timedelta(seconds=20), description="time between two tracking events of the simulated carrier"
    )

    quality_fresh_for: Duration = Field(
        timedelta(minutes=10),
        description="an unchanged catalogue is looked through again after this time, for what has sold since",
    )
    low_stock_at: int = Field(
        5, ge=0, description="from how many units on a variant counts as low, where it says no other number"
    )

    public_max_age: Duration = Field(
        timedelta(minutes=5), description="the longest a CDN may keep an answer that is public"
    )
    public_stale_while_revalidate: Duration = Field(
        timedelta(seconds=30), description="how long after that it may answer while it asks for a new one"
    )

    placing_group_limit: int = Field(
        50, ge=1, le=1_000, description="orders placed in one transaction when many come; 1 places each alone"
    )
    placing_lanes: int = Field(
        4, ge=1, le=100, description="transactions per process that place orders, fewer than connections"
    )
    placing_wait_limit: Duration = Field(
        timedelta(seconds=1.5), description="an order that would wait longer is told BUSY at once"
    )
    placing_limit: int = Field(
        1_000, ge=1, description="orders that may wait in one queue, however quick it is"
    )
    sold_out_remembered: Duration = Field(
        timedelta(seconds=0.5), description="how long what was found sold out is refused without another look"
    )

    body_limit_bytes: int = Field(1_000_000, ge=1_000, description="largest request body")
    upload_limit_bytes: int = Field(10_000_000, ge=1_000, description="largest uploaded picture")
    import_limit_bytes: int = Field(100_000_000, ge=1_000, description="largest product file")
    shutdown_seconds: int = Field(10, ge=0, description="how long running requests may take to finish")

    @field_validator("database_url")
    @classmethod
    def _driver(cls, url: str) -> str:
        scheme, separator, rest = url.partition("://")
        drivers = {"sqlite": "sqlite+aiosqlite", "postgres": "postgresql+asyncpg"}
        drivers |= {"postgresql": "postgresql+asyncpg"} | {driver: driver for driver in drivers.values()}
        if not separator or scheme not in drivers:
            raise ValueError("must begin with sqlite:// or postgresql://")
        return f"{drivers[scheme]}://{rest}"

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ValueError, KeyError, OSError):
            raise ValueError("is no time zone of the IANA database") from None
        return name

    @model_validator(mode="after")
    def _bucket(self) -> Self:
        if self.media_url is None:
            return self
        scheme, _, place = self.media_url.partition("://")
        if scheme != "s3" or not place.strip("/"):
            raise ValueError("MEDIA_URL must be s3://bucket or s3://bucket/prefix")
        if not (self.s3_access_key_id.get_secret_value() and self.s3_secret_access_key.get_secret_value()):
            raise ValueError("S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY are required with MEDIA_URL")
        if self.s3_endpoint and not self.s3_endpoint.startswith(("https://", "http://")):
            raise ValueError("S3_ENDPOINT must begin with https:// or http://")
        return self

    @model_validator(mode="after")
    def _secrets(self) -> Self:
        length = len(self.secret_key.get_secret_value())
        if length and length < SECRET_LENGTH:
            raise ValueError(f"SECRET_KEY has fewer than {SECRET_LENGTH} characters")
        if not length and self.production:
            raise ValueError("SECRET_KEY is required in production")
        return self

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def production(self) -> bool:
        return self.environment is Environment.PRODUCTION

    @property
    def offers_sandbox(self) -> bool:
        return not self.production if self.sandbox_payments is None else self.sandbox_payments

    @property
    def logs_json(self) -> bool:
        return (
            self.log_format or (LogFormat.JSON if self.production else LogFormat.CONSOLE)
        ) is LogFormat.JSON

    @property
    def address(self) -> str:
        """How the outside reaches us, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def media_dir(self) -> Path:
        return self.var_dir / "media"

    def signing_key(self) -> str:
        """SECRET_KEY, or in development one made once and kept beside the uploads."""
        return self._signing_key

    @cached_property
    def _signing_key(self) -> str:
        if given := self.secret_key.get_secret_value():
            return given
        kept = self.var_dir / "secret_key"
        if not kept.exists():
            self.var_dir.mkdir(parents=True, exist_ok=True)
            kept.touch(mode=0o600)
            kept.write_text(secrets.token_urlsafe(48))
        return kept.read_text()

    @classmethod
    def from_environment(cls) -> "Settings":
        """The settings, or WrongSetting with the name of each variable that is wrong."""
        try:
            return cls()
        except ValidationError as error:
            raise WrongSetting(
                "\n".join(_said(problem["loc"], problem["msg"]) for problem in error.errors())
            ) from None


def _said(where: tuple[int | str, ...], message: str) -> str:
    name = "_".join(str(part) for part in where).upper()
    return f"{name}: {message}" if name else message.removeprefix("Value error, ")
