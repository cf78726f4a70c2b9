"""A wrong setting stops the start, and is called by its name."""

from pathlib import Path

import pytest

from settings import Settings, WrongSetting

NAMES = [name.upper() for name in Settings.model_fields]


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
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
        ("ENVIRONMENT", "staging"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(WrongSetting, match=name):
        Settings.from_environment()


def test_a_wrong_secret_is_not_repeated_in_the_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "hunter2")
    with pytest.raises(WrongSetting) as refused:
        Settings.from_environment()
    assert "hunter2" not in str(refused.value)


def test_production_does_not_start_without_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    with pytest.raises(WrongSetting, match="SECRET_KEY"):
        Settings.from_environment()


def test_production_offers_no_sandbox_payments_unless_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    monkeypatch.setenv("SECRET_KEY", "x" * 32)
    assert not Settings.from_environment().offers_sandbox


def test_settings_may_stand_in_a_file_and_the_environment_goes_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("PORT=9000\nHOST=0.0.0.0\n")
    monkeypatch.setenv("PORT", "9001")

    settings = Settings.from_environment()

    assert (settings.host, settings.port) == ("0.0.0.0", 9001)  # noqa: S104


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("0.5", 0.5), ("PT30M", 1800), ("P1D", 86400), ("00:01:30", 90)]
)
def test_a_duration_is_seconds_or_iso_8601(
    monkeypatch: pytest.MonkeyPatch, text: str, seconds: float
) -> None:
    monkeypatch.setenv("TIMER_PAUSE", text)
    assert Settings.from_environment().timer_pause.total_seconds() == seconds


def test_the_driver_is_ours_to_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://shop@db/shop")
    assert Settings.from_environment().database_url == "postgresql+asyncpg://shop@db/shop"


def test_a_generated_secret_is_kept_and_only_ours_to_read(tmp_path: Path) -> None:
    settings = Settings(var_dir=tmp_path / "var")

    first, again = settings.signing_key(), settings.signing_key()

    assert first == again
    assert len(first) >= 32
    assert (tmp_path / "var" / "secret_key").stat().st_mode & 0o777 == 0o600


def test_every_setting_is_documented() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
