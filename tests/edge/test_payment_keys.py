"""`cartwheel payments check` tries the keys of each payment method and says what is wrong."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.provider_servers.alipay.server import APP_ID, SELLER_ID
from gateways.payment.registry import CONNECTIONS
from models import PaymentMethod
from tests.gateways.payment.alipay.desk import AlipayServer, run_server
from tests.process import process_environment, run_cartwheel

SECRET_KEY = "sk_test_1234567890"
CARD_KEYS = {
    "STRIPE_SECRET_KEY": SECRET_KEY,
    "STRIPE_PUBLISHABLE_KEY": "pk_test_1234567890",
    "STRIPE_WEBHOOK_SECRET": "whsec_1234567890",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AlipayServer]:
    with run_server(tmp_path_factory.mktemp("alipay")) as server:
        yield server


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """No database answers here: none is needed."""
    return process_environment("postgresql+asyncpg://nobody@127.0.0.1:1/none", tmp_path)


def alipay_keys(server: AlipayServer, own: str = "app") -> dict[str, str]:
    return {
        "ALIPAY_GATEWAY": f"{server.address}/gateway.do",
        "ALIPAY_APP_ID": APP_ID,
        "ALIPAY_SELLER_ID": SELLER_ID,
        "ALIPAY_PRIVATE_KEY_FILE": str(server.folder / f"{own}_private.pem"),
        "ALIPAY_PUBLIC_KEY_FILES": str(server.folder / "alipay_public.pem"),
    }


def test_keys_that_work_are_said_to_and_what_nobody_set_up_is_off(
    server: AlipayServer, env: dict[str, str]
) -> None:
    checked = run_cartwheel("payments", "check", env=env | alipay_keys(server))

    assert checked.stdout.splitlines() == [
        "ALIPAY: the keys work",
        "WECHAT_PAY: off, nothing is set",
        "CARD: off, nothing is set",
    ]
    assert checked.returncode == 0


def test_a_key_that_the_provider_refuses_is_a_problem(server: AlipayServer, env: dict[str, str]) -> None:
    checked = run_cartwheel("payments", "check", env=env | alipay_keys(server, own="other"))

    assert checked.stdout.startswith("ALIPAY: ")
    assert "ALIPAY: the keys work" not in checked.stdout
    assert checked.returncode == 1


def test_a_provider_that_cannot_be_reached_is_a_problem_and_no_key_is_printed(env: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"

    checked = run_cartwheel("payments", "check", env=env | CARD_KEYS | {"STRIPE_ADDRESS": address})

    assert "CARD: STRIPE_SECRET_KEY" in checked.stdout
    assert checked.returncode == 1
    assert not [key for key in CARD_KEYS.values() if key in checked.stdout + checked.stderr]


@pytest.mark.parametrize("left_out", list(CARD_KEYS))
def test_a_method_that_is_set_up_in_part_is_a_problem_that_names_the_rest(
    env: dict[str, str], left_out: str
) -> None:
    keys = {name: value for name, value in CARD_KEYS.items() if name != left_out}

    checked = run_cartwheel("payments", "check", env=env | keys)

    assert f"CARD: off, not set: {left_out}" in checked.stdout.splitlines()
    assert checked.returncode == 1


def test_one_wrong_method_fails_the_check_beside_one_that_works(
    server: AlipayServer, env: dict[str, str]
) -> None:
    half = {"STRIPE_PUBLISHABLE_KEY": "pk_test_1234567890"}

    checked = run_cartwheel("payments", "check", env=env | alipay_keys(server) | half)

    assert "ALIPAY: the keys work" in checked.stdout.splitlines()
    assert "CARD: off, not set: STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET" in checked.stdout.splitlines()
    assert checked.returncode == 1


def test_a_key_file_that_is_none_is_a_problem(server: AlipayServer, env: dict[str, str]) -> None:
    missing = {"ALIPAY_PRIVATE_KEY_FILE": str(server.folder / "nowhere.pem")}

    checked = run_cartwheel("payments", "check", env=env | alipay_keys(server) | missing)

    lines = checked.stdout.splitlines()
    assert "ALIPAY: off, a key cannot be used: the log names it" in lines
    assert any("ALIPAY_PRIVATE_KEY_FILE" in line and "payment.method_off" in line for line in lines)
    assert checked.returncode == 1


def test_nothing_set_up_is_no_success(env: dict[str, str]) -> None:
    checked = run_cartwheel("payments", "check", env=env)

    assert checked.stdout.splitlines()[-1] == "No payment method is set up."
    assert checked.returncode == 1


def test_every_method_of_an_outside_provider_has_one_connection() -> None:
    assert [each.method for each in CONNECTIONS] == [
        method for method in PaymentMethod if method.has_provider and method is not PaymentMethod.SANDBOX
    ]
