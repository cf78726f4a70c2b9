"""WeChat Pay is connected by its settings, and off where one is missing."""

from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from gateways.payment.wechat_pay import connect
from gateways.secrets import Secrets
from settings import Settings, WrongSetting
from tests.gateways.payment.wechat_pay.server import WeChatPayServer, now

NECESSARY = [
    "WECHAT_PAY_MERCHANT_ID",
    "WECHAT_PAY_APP_ID",
    "WECHAT_PAY_CERTIFICATE_SERIAL",
    "WECHAT_PAY_PRIVATE_KEY_FILE",
    "WECHAT_PAY_API_KEY",
]


def try_to_connect(settings: Settings, client: httpx.AsyncClient) -> list[dict[str, object]]:
    """The lines of the log; the method is off."""
    with capture_logs() as logs:
        assert connect(settings, client, now, Secrets()) is None
    return [dict(line) for line in logs]


@pytest.mark.parametrize("name", NECESSARY)
def test_a_missing_setting_is_named_in_one_line_of_the_log(server: WeChatPayServer, name: str) -> None:
    [line] = try_to_connect(server.settings(**{name: ""}), server.client)
    assert (line["event"], line["method"], line["missing"]) == ("payment.method_off", "WECHAT_PAY", [name])


@pytest.mark.parametrize("name", ["WECHAT_PAY_PRIVATE_KEY_FILE", "WECHAT_PAY_PUBLIC_KEY_FILE"])
@pytest.mark.parametrize("content", [None, "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n"])
def test_a_key_file_that_is_none_is_named_without_what_is_in_it(
    server: WeChatPayServer, tmp_path: Path, name: str, content: str | None
) -> None:
    file = tmp_path / "key.pem"
    if content is not None:
        file.write_text(content)

    [line] = try_to_connect(server.settings(**{name: str(file)}), server.client)

    assert (line["event"], line["unusable"]) == ("payment.method_off", [name])
    assert "no key" not in str(line)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"WECHAT_PAY_API_KEY": "hunter2"}, "WECHAT_PAY_API_KEY must have 32 bytes"),
        ({"WECHAT_PAY_PUBLIC_KEY_ID": "KEY_1"}, "must begin with PUB_KEY_ID_"),
        ({"WECHAT_PAY_PUBLIC_KEY_FILE": ""}, "belong together"),
        ({"WECHAT_PAY_URL": "https://api.mch.weixin.qq.com/v3"}, "WECHAT_PAY_URL"),
        ({"WECHAT_PAY_MERCHANT_ID": "12a"}, "WECHAT_PAY_MERCHANT_ID"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(
    server: WeChatPayServer, changes: dict[str, str], named: str
) -> None:
    with pytest.raises(WrongSetting, match=named) as refused:
        server.settings(**changes)
    assert "hunter2" not in str(refused.value)
