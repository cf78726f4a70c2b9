"""Cards are offered where all keys are there."""

from datetime import UTC, datetime

import httpx
import pytest
import structlog
from structlog.testing import capture_logs

from gateways.payment.card import CardProvider, connect
from gateways.secrets import Secrets
from models import PaymentChannel, PaymentMethod
from settings import Settings, WrongSetting

KEYS = {
    "stripe_secret_key": "sk_test_1234567890",
    "stripe_publishable_key": "pk_test_1234567890",
    "stripe_webhook_secret": "whsec_1234567890",
}


async def connect_with(keys: dict[str, str]) -> CardProvider | None:
    settings = Settings.from_environment(env_file=None, **keys)
    async with httpx.AsyncClient() as client:
        return connect(settings, client, lambda: datetime.now(UTC), Secrets())


async def test_cards_are_connected_with_all_keys() -> None:
    provider = await connect_with({**KEYS, "stripe_old_webhook_secret": "whsec_0987654321"})

    assert provider is not None
    assert provider.method is PaymentMethod.CARD
    assert provider.channels == {PaymentChannel.PAGE, PaymentChannel.MOBILE_PAGE, PaymentChannel.APP}
    assert list(provider.webhook_secrets) == ["whsec_1234567890", "whsec_0987654321"]
    assert not provider.is_live


@pytest.mark.parametrize("name", KEYS)
async def test_without_a_key_cards_are_off_and_one_line_names_it(name: str) -> None:
    structlog.reset_defaults()
    with capture_logs() as lines:
        provider = await connect_with({key: value for key, value in KEYS.items() if key != name})

    assert provider is None
    assert lines == [
        {"event": "payment.method_off", "method": "CARD", "missing": name.upper(), "log_level": "info"}
    ]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"stripe_secret_key": "pk_test_1234567890"}, "STRIPE_SECRET_KEY must begin with"),
        ({"stripe_publishable_key": "pk_live_1234567890"}, "same mode"),
        ({"stripe_publishable_key": "sk_test_1234567890"}, "STRIPE_PUBLISHABLE_KEY"),
        ({"stripe_webhook_secret": "secret"}, "STRIPE_WEBHOOK_SECRET must be"),
        ({"stripe_old_webhook_secret": "whsec_"}, "STRIPE_OLD_WEBHOOK_SECRET must be"),
    ],
)
def test_a_key_of_another_kind_is_named_and_not_shown(changes: dict[str, str], reason: str) -> None:
    with pytest.raises(WrongSetting, match=reason) as raised:
        Settings.from_environment(env_file=None, **{**KEYS, **changes})

    assert "1234567890" not in str(raised.value)
