"""Store credit and gift cards as clients see them."""

from datetime import timedelta

from models import Role
from tests.clients import Client, Clients
from tests.conftest import STARTED_AT
from tests.given import cny, codes

ISSUE = """mutation ($input: GiftCardIssueInput!) { giftCardIssue(input: $input) {
  code giftCard { id status total { amount } lastCharacters } userErrors { code field } } }"""
REDEEM = """mutation ($input: GiftCardRedeemInput!) { giftCardRedeem(input: $input) {
  giftCard { status reason } userErrors { code retryAfterSeconds } } }"""
CREDIT = """{ storeCredit { amount currencyCode }
  storeCreditMovements { nodes { kind total { amount } giftCard { lastCharacters } } } }"""


async def issue(manager: Client) -> str:
    expires_at = (STARTED_AT + timedelta(days=365)).isoformat()
    given = {"amount": cny("50.00"), "reason": "An apology.", "expiresAt": expires_at}
    payload = (await manager.ask(ISSUE, input=given))["data"]["giftCardIssue"]
    assert payload["giftCard"]["lastCharacters"] == payload["code"][-4:]
    code: str = payload["code"]
    return code


async def test_a_customer_redeems_a_gift_card_however_it_is_written(clients: Clients) -> None:
    manager, customer = await clients.staff(Role.MANAGER), await clients.customer()
    code = await issue(manager)
    given = {"code": code.upper().replace("-", " ")}
    payload = (await customer.ask(REDEEM, input=given))["data"]["giftCardRedeem"]

    assert payload["giftCard"] == {"status": "REDEEMED", "reason": None}
    assert (await customer.ask(CREDIT))["data"] == {
        "storeCredit": [{"amount": "50.00", "currencyCode": "CNY"}],
        "storeCreditMovements": {
            "nodes": [
                {
                    "kind": "REDEEMED",
                    "total": {"amount": "50.00"},
                    "giftCard": {"lastCharacters": code[-4:]},
                }
            ]
        },
    }


async def test_guessing_codes_is_limited(clients: Clients) -> None:
    customer = await clients.customer()
    answers = [
        (await customer.ask(REDEEM, input={"code": f"guess-{n}"}))["data"]["giftCardRedeem"]
        for n in range(21)
    ]

    assert [codes(each) for each in answers] == [["COUPON_REFUSED"]] * 20 + [["LIMIT_REACHED"]]
    assert answers[-1]["userErrors"][0]["retryAfterSeconds"] > 0
