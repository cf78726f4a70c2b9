"""A method with a missing setting is off, and exactly one line of the log names what it lacks."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app import open_shop
from edge.start import check_start
from gateways.payment.registry import log_methods_off
from models import PaymentMethod
from tests.conftest import settings_for

SECRET = "sk_test_a_secret_that_is_marked"

ALIPAY = ["ALIPAY_APP_ID", "ALIPAY_SELLER_ID", "ALIPAY_PRIVATE_KEY_FILE", "ALIPAY_PUBLIC_KEY_FILES"]
CARD = ["STRIPE_SECRET_KEY", "STRIPE_PUBLISHABLE_KEY", "STRIPE_WEBHOOK_SECRET"]


async def test_a_method_that_lacks_a_setting_is_off_and_named_once(
    new_sqlite_url: str, tmp_path: Path
) -> None:
    settings = settings_for(new_sqlite_url, tmp_path, stripe_secret_key=SECRET, alipay_app_id="2021")

    with capture_logs() as logs:
        shop = open_shop(settings)
        log_methods_off(settings)

    lines = {line["method"]: line for line in logs if line["event"] == "payment.method_off"}
    assert len(lines) == len([line for line in logs if line["event"] == "payment.method_off"]) == 3
    assert lines["ALIPAY"]["missing"] == ALIPAY[1:]
    assert lines["CARD"]["missing"] == ", ".join(CARD[1:])
    assert "WECHAT_PAY_API_KEY" in lines["WECHAT_PAY"]["missing"]
    assert SECRET not in str(logs)
    assert shop.payments.keys() == {PaymentMethod.SANDBOX}
    await shop.close()


@pytest.mark.parametrize(("runs", "methods"), [(True, ["ALIPAY", "WECHAT_PAY", "CARD"]), (False, [])])
async def test_a_process_that_runs_on_tells_what_nobody_has_set_up(
    new_sqlite_url: str, tmp_path: Path, runs: bool, methods: list[str]
) -> None:
    """Commands that end by themselves say nothing of it: their output may be a file."""
    settings = settings_for(new_sqlite_url, tmp_path)

    with capture_logs() as logs:
        await check_start(settings, migrated=False, runs=runs)

    assert [line["method"] for line in logs if line["event"] == "payment.method_off"] == methods
