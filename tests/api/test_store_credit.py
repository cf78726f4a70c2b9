"""Store credit and gift cards as clients see them."""

from datetime import timedelta

from events.shop import Shop
from models import Role
from tests.clients import Client, Clients
from tests.conftest import STARTED_AT
from tests.given import cny, codes, refusals
from tests.observe import assert_books_agree, read_all_rows

ISSUE = """mutation ($input: GiftCardIssueInput!) { giftCardIssue(input: $input) {
  code giftCard { id status total { amount } lastCharacters } userErrors { code field } } }"""
REDEEM = """mutation ($input: GiftCardRedeemInput!) { giftCardRedeem(input: $input) {
  giftCard { status reason } userErrors { code retryAfterSeconds } } }"""
CREDIT = """{ storeCredit { amount currencyCode }
  storeCreditMovements { nodes { kind total { amount } giftCard { lastCharacters } } } }"""


async def issue(manager: Client) -> str:
    expires_at = (STARTED_AT + timedelta(days=365)).isoformat()
    given = {
        "amount": cny("50.00"),
        "reason": "An apology.",
        "expiresAt": expires_at,
        "idempotencyKey": "a card",
    }
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


async def test_a_gift_card_that_is_asked_for_twice_is_issued_once_with_the_same_code(
    clients: Clients, shop: Shop
) -> None:
    manager, other = [await clients.staff(Role.MANAGER) for _ in range(2)]
    given = {
        "amount": cny("50.00"),
        "reason": "An apology.",
        "expiresAt": (STARTED_AT + timedelta(days=365)).isoformat(),
        "idempotencyKey": "a card",
    }
    first = await manager.do(ISSUE, **given)
    before = await read_all_rows(shop)

    again = await manager.do(ISSUE, **given)
    changed = await manager.do(ISSUE, **(given | {"amount": cny("51.00")}))
    assert await read_all_rows(shop) == before
    by_other = await other.do(ISSUE, **given)
    another = await manager.do(ISSUE, **(given | {"idempotencyKey": "another card"}))

    assert first["userErrors"] == []
    assert again == first
    assert refusals(changed) == [("KEY_REUSED", "idempotencyKey")]
    assert (changed["code"], changed["giftCard"]) == (None, None)
    issued = [first, by_other, another]
    assert len({each["giftCard"]["id"] for each in issued}) == len({each["code"] for each in issued}) == 3
    await assert_books_agree(shop)
