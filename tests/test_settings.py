"""Settings are read from the environment; a wrong one is refused by its name."""

from pathlib import Path

import pytest

from settings import Settings, WrongSetting, list_variables
from settings.names import find_mistyped

NAMES = [
    "ACCESS_TOKEN_LIVES",
    "ACCOUNT_EXPORTS_PER_DAY",
    "ALIPAY_APP_ID",
    "ALIPAY_GATEWAY",
    "ALIPAY_ORDER_CLOSES_AFTER",
    "ALIPAY_PRIVATE_KEY_FILE",
    "ALIPAY_PUBLIC_KEY_FILES",
    "ALIPAY_SELLER_ID",
    "AMAP_ADDRESS",
    "AMAP_KEY",
    "AMAP_SIGNING_KEY",
    "ANSWER_LIMIT_BYTES",
    "BELL_PAUSE",
    "BEST_SELLING_WINDOW",
    "BODY_LIMIT_BYTES",
    "BODY_PAUSE_TIMEOUT",
    "BODY_TIMEOUT",
    "CARD_ORDER_CLOSES_AFTER",
    "CARRIER_POLLS_PER_DAY",
    "CARRIER_POLL_EVERY",
    "CARRIER_PUSHES_WAITING",
    "CART_LOOK_EVERY",
    "CASH_HANDED_IN_WITHIN",
    "CODES_PER_ADDRESS",
    "CODES_PER_CONTACT",
    "CODES_PER_PAIR",
    "COLLECTED_WITHIN",
    "CONNECTIONS_PER_ADDRESS",
    "CONNECTION_OPERATIONS_LIMIT",
    "CORS_ORIGINS",
    "COUNT_EVERY",
    "COURIER_ACCESS_KEPT",
    "COURIER_POSITIONS_KEPT",
    "COURIER_SKILLS",
    "COURIER_SPEED_LIMIT_KMH",
    "CUSTOMER_COST_BUCKET",
    "CUSTOMER_COST_LIMIT",
    "CUSTOMER_COST_REFILL",
    "DATABASE_POOL_SIZE",
    "DATABASE_URL",
    "DEFAULT_CURRENCY",
    "DEFAULT_LANGUAGE",
    "DELIVERY_PROMISE",
    "DIFFERENCE_PAID_WITHIN",
    "DOCUMENT_LINK_LIVES",
    "DRAFT_RUN_ENDS_AFTER",
    "ENVIRONMENT",
    "EVENTS_ARCHIVED_AFTER",
    "EVENTS_ARCHIVED_EVERY",
    "EVENT_LEASE",
    "FLASH_ORDER_CLOSES_AFTER",
    "GIFT_CARDS_PER_HOUR",
    "GUESTS_ASK",
    "GUEST_CARTS_PER_HOUR",
    "GUEST_CART_LIVES",
    "GUEST_COST_BUCKET",
    "GUEST_COST_LIMIT",
    "GUEST_COST_REFILL",
    "GUEST_DATA_KEPT",
    "GUEST_ORDERS_PER_HOUR",
    "HEADER_TIMEOUT",
    "HOST",
    "IMPORT_LIMIT_BYTES",
    "KARRIO_ACCOUNTS",
    "KARRIO_ADDRESSES",
    "KARRIO_TEST_MODE",
    "KEEP_ALIVE_TIMEOUT",
    "KUAIDI100_CUSTOMER",
    "KUAIDI100_KEY",
    "KUAIDI100_PARTNER_KEYS",
    "KUAIDI100_SALT",
    "KUAIDI100_SECRET",
    "KUAIDI100_TRACKING_ADDRESS",
    "KUAIDI100_WAYBILL_ADDRESS",
    "LIVE_CONNECTIONS_PER_ACCOUNT",
    "LIVE_CONNECTIONS_PER_ADDRESS",
    "LOG_FORMAT",
    "LOG_LEVEL",
    "LOW_STOCK_AT",
    "MAIL_FROM",
    "MEDIA_URL",
    "METRICS_HOST",
    "METRICS_PORT",
    "NOTICE_WEBHOOK_SECRET",
    "NOTICE_WEBHOOK_URL",
    "NOT_RECEIVED_AFTER",
    "OLD_SECRET_KEY",
    "OPEN_PARCEL_LIVES",
    "OPEN_QUESTIONS_LIMIT",
    "OPERATION_DEADLINE",
    "OSRM_ADDRESS",
    "OSRM_PLACES_LIMIT",
    "OTLP_ENDPOINT",
    "PAYMENTS_PER_ORDER",
    "PAYMENT_ASKED_AFTER_END",
    "PAYMENT_QUERY_EVERY",
    "PERSISTED_ONLY",
    "PICTURES_CHECKED_EVERY",
    "PICTURES_CHECKED_PER_MINUTE",
    "PLACING_GROUP_LIMIT",
    "PLACING_LANES",
    "PLACING_LIMIT",
    "PLACING_WAIT_LIMIT",
    "PORT",
    "PROXY_HEADER",
    "PUBLIC_MAX_AGE",
    "PUBLIC_URL",
    "QUESTIONS_PER_DAY",
    "QUESTION_CLOSED_AFTER",
    "RATING_ASKED_AFTER",
    "RATING_OPEN_FOR",
    "READER_TIMEOUT",
    "READINGS_KEPT",
    "RECEIPT_CONFIRMED_AFTER",
    "RECONNECT_SPREAD",
    "REDIS_URL",
    "REFRESH_TOKEN_LIVES",
    "REFUND_APPROVAL_LIMITS",
    "REFUND_BONUS_BASIS_POINTS",
    "REFUND_BONUS_CAPS",
    "REFUND_QUERY_EVERY",
    "REFUND_RETRY_AFTER",
    "REFUSED_WEBHOOKS_PER_MINUTE",
    "REGISTRATIONS_PER_HOUR",
    "RELAY_PAUSE",
    "REPAIRED_WITHIN",
    "REPLACEMENT_CHOSEN_WITHIN",
    "REPLACEMENT_STOCK_WITHIN",
    "REQUESTS_PER_MINUTE",
    "RETURN_ACCEPTED_AFTER",
    "RETURN_COLLECTIONS",
    "RETURN_CORRECTIONS",
    "RETURN_INSPECTED_WITHIN",
    "RETURN_SEEN_WITHIN",
    "RETURN_SHIPPED_WITHIN",
    "RIGHTS_CHECK_EVERY",
    "RIGHTS_REMEMBERED",
    "ROUTE_PLANNERS",
    "ROUTE_PLANNING_DEADLINE",
    "ROUTE_PLANNING_TIME",
    "ROUTE_PLANS_WAITING",
    "ROUTE_ROAD_FACTOR",
    "ROUTE_SERVICE_TIME",
    "ROUTE_SPEED_KMH",
    "ROUTE_STOPS_LIMIT",
    "RUN_STALLS_AFTER",
    "RUN_WORKER",
    "S3_ACCESS_KEY_ID",
    "S3_ENDPOINT",
    "S3_REGION",
    "S3_SECRET_ACCESS_KEY",
    "SALES_COUNTED_EVERY",
    "SANDBOX_ORDER_CLOSES_AFTER",
    "SANDBOX_PAYMENTS",
    "SEARCH_FOLLOWED_EVERY",
    "SEARCH_IN_MEMORY",
    "SEARCH_MEANING",
    "SEARCH_TIMEOUT",
    "SEARCH_URL",
    "SECRET_KEY",
    "SEND_QUEUE_LIMIT_BYTES",
    "SEND_TIMEOUT",
    "SF_EXPRESS_ADDRESS",
    "SF_EXPRESS_CHECK_WORD",
    "SF_EXPRESS_PARTNER_ID",
    "SF_EXPRESS_PUSH_KEY",
    "SHOP_NAME",
    "SHOW_SCHEMA",
    "SHUTDOWN_SECONDS",
    "SIGN_INS_PER_MINUTE",
    "SIMULATED_CARRIER_STEP",
    "SLOW_OPERATION",
    "SLOW_READER_PATIENCE",
    "SMTP_HOST",
    "SMTP_PASSWORD",
    "SMTP_PORT",
    "SMTP_SECURITY",
    "SMTP_USER",
    "SOCKET_INIT_TIMEOUT",
    "SOCKET_MESSAGE_LIMIT_BYTES",
    "SOLD_OUT_REMEMBERED",
    "STAFF_COST_BUCKET",
    "STAFF_COST_LIMIT",
    "STAFF_COST_REFILL",
    "STAFF_TOTP_REQUIRED",
    "STREAM_KEEP_ALIVE",
    "STRIPE_ACCOUNT",
    "STRIPE_ADDRESS",
    "STRIPE_OLD_WEBHOOK_SECRET",
    "STRIPE_PUBLISHABLE_KEY",
    "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRET",
    "TICKET_AGREED_AFTER",
    "TIMER_PAUSE",
    "TIME_ZONE",
    "TRACES_SAMPLED",
    "TRACKING_LINKS_END_AFTER",
    "TRUSTED_PROXIES",
    "UNDELIVERED_ENDED_AFTER",
    "UNPAID_ORDER_CLOSES_AFTER",
    "UPLOADS_PER_MINUTE",
    "UPLOAD_LIMIT_BYTES",
    "VAR_DIR",
    "WAVE_LIMIT",
    "WECHAT_PAY_API_KEY",
    "WECHAT_PAY_APP_ID",
    "WECHAT_PAY_CERTIFICATE_SERIAL",
    "WECHAT_PAY_MERCHANT_ID",
    "WECHAT_PAY_MOBILE_APP_ID",
    "WECHAT_PAY_ORDER_CLOSES_AFTER",
    "WECHAT_PAY_PRIVATE_KEY_FILE",
    "WECHAT_PAY_PUBLIC_KEY_FILE",
    "WECHAT_PAY_PUBLIC_KEY_ID",
    "WECHAT_PAY_TIMEOUT",
    "WECHAT_PAY_URL",
    "WORKER_NICENESS",
]
"""Operators have set these: a new name is added here, and none changes or goes."""


@pytest.fixture(autouse=True)
def clear_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("DATABASE_URL", "mysql://localhost/shop"),
        ("DATABASE_URL", "shop.db"),
        ("DEFAULT_CURRENCY", "XXX"),
        ("LOG_LEVEL", "LOUD"),
        ("UNPAID_ORDER_CLOSES_AFTER", "soon"),
        ("TIMER_PAUSE", "0"),
        ("TIMER_PAUSE", "-5"),
        ("SECRET_KEY", "short"),
        ("OLD_SECRET_KEY", "short"),
        ("ENVIRONMENT", "staging"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(WrongSetting, match=name):
        Settings.from_environment()


def test_a_refused_secret_is_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "hunter2")
    with pytest.raises(WrongSetting) as refused:
        Settings.from_environment()
    assert "hunter2" not in str(refused.value)


def test_production_does_not_start_without_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    with pytest.raises(WrongSetting, match="SECRET_KEY"):
        Settings.from_environment()


def test_production_offers_no_sandbox_payments_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    monkeypatch.setenv("SECRET_KEY", "x" * 32)
    assert not Settings.from_environment().offers_sandbox


def test_the_environment_takes_precedence_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("PORT=9000\nHOST=0.0.0.0\n")
    monkeypatch.setenv("PORT", "9001")

    settings = Settings.from_environment()

    assert (settings.server.host, settings.server.port) == ("0.0.0.0", 9001)  # noqa: S104


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("0.5", 0.5), ("PT30M", 1800), ("P1D", 86400), ("00:01:30", 90)]
)
def test_a_duration_is_seconds_or_iso_8601(
    monkeypatch: pytest.MonkeyPatch, text: str, seconds: float
) -> None:
    monkeypatch.setenv("TIMER_PAUSE", text)
    assert Settings.from_environment().jobs.scheduler_interval.total_seconds() == seconds


def test_the_database_driver_is_chosen_by_the_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://shop@db/shop")
    assert Settings.from_environment().database.url == "postgresql+asyncpg://shop@db/shop"


def test_a_generated_secret_is_kept_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    settings = Settings.from_environment(var_dir=tmp_path / "var")

    first, again = settings.signing_key(), settings.signing_key()

    assert first == again
    assert len(first) >= 32
    assert (tmp_path / "var" / "secret_key").stat().st_mode & 0o777 == 0o600


def test_every_variable_has_a_description() -> None:
    assert [variable.name for variable in list_variables() if not variable.description] == []


def test_the_environment_variables_keep_their_names() -> None:
    assert sorted(variable.name for variable in list_variables()) == NAMES


def test_every_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "many")
    monkeypatch.setenv("TIME_ZONE", "Mars/Olympus")
    with pytest.raises(WrongSetting) as refused:
        Settings.from_environment()
    assert [line.partition(":")[0] for line in str(refused.value).splitlines()] == ["PORT", "TIME_ZONE"]


def test_an_override_of_an_unknown_setting_is_an_error() -> None:
    with pytest.raises(TypeError, match="relay_paws"):
        Settings.from_environment(relay_paws=1)


def refusals() -> list[str]:
    with pytest.raises(WrongSetting) as refused:
        Settings.from_environment()
    return str(refused.value).splitlines()


def test_an_unknown_name_in_the_file_is_refused_and_its_value_is_not_printed(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PROT=9000\nPORT=9001\nSTRIPE_KEY=hunter2\nexport REDIS_URL\n")

    assert refusals() == [
        "PROT: there is no such setting, but .env has it; is PORT meant?",
        "STRIPE_KEY: there is no such setting, but .env has it; `cartwheel settings` lists all",
        "REDIS_URL: .env names it without a value",
    ]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("REDIS_ULR", "REDIS_URL"),
        ("DATABASEURL", "DATABASE_URL"),
        ("TIMEZONE", "TIME_ZONE"),
        ("S3_REGIONS", "S3_REGION"),
        ("PROT", "PORT"),
        ("HOME", None),
        ("PATH", None),
        ("REDIS_URL", None),
        ("redis_url", None),
        ("REDIS_HOST", None),
    ],
)
def test_a_name_within_two_letters_of_a_setting_is_taken_for_a_mistyped_one(
    name: str, meant: str | None
) -> None:
    assert [each.meant for each in find_mistyped([name], NAMES)] == ([meant] if meant else [])


@pytest.mark.parametrize(
    "url", ["shop.example", "ftp://shop.example", "https://", "https://a:b@shop.example", "https://shop?x=1"]
)
def test_a_wrong_public_url_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("PUBLIC_URL", url)
    [line] = refusals()
    assert line.startswith(("PUBLIC_URL: must be https://host", "PUBLIC_URL: holds more than scheme"))


@pytest.mark.parametrize(
    "url",
    [
        "search:9200",
        "ftp://search",
        "https://",
        "https://search?q=hunter2",
        "https://shop:hunter2@search/Big",
        "https://shop:hunter2@search/a/b",
        "https://shop:hunter2@search:port",
    ],
)
def test_a_wrong_search_url_is_refused_without_its_password(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("SEARCH_URL", url)
    [line] = refusals()
    assert line.startswith("SEARCH_URL: ")
    assert "hunter2" not in line


def test_an_index_in_memory_is_not_that_of_a_search_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEARCH_IN_MEMORY", "true")
    assert Settings.from_environment(env_file=None).search.at_each_search
    monkeypatch.setenv("SEARCH_URL", "https://search:9200/shop-1")
    assert not Settings.from_environment(env_file=None).search.at_each_search


@pytest.mark.parametrize(
    "url",
    [
        "localhost:6379",
        "http://redis",
        "redis://",
        "redis://redis:many/0",
        "redis://redis/first",
        "redis:///0",
    ],
)
def test_a_wrong_redis_url_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    assert [line.partition(":")[0] for line in refusals()] == ["REDIS_URL"]


@pytest.mark.parametrize("tag", ["klingon", "de", "zh_CN", "e", "en-"])
def test_a_language_the_shop_does_not_have_is_refused(monkeypatch: pytest.MonkeyPatch, tag: str) -> None:
    monkeypatch.setenv("DEFAULT_LANGUAGE", tag)
    assert [line.partition(":")[0] for line in refusals()] == ["DEFAULT_LANGUAGE"]


def test_a_bonus_without_a_cap_in_any_currency_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFUND_BONUS_BASIS_POINTS", "500")
    with pytest.raises(WrongSetting, match="REFUND_BONUS_CAPS"):
        Settings.from_environment()

    monkeypatch.setenv("REFUND_BONUS_CAPS", '{"CNY": 2000}')
    assert Settings.from_environment().refund_bonus.caps == {"CNY": 2_000}
