"""Where cash is taken at the door, and how much: what the rules say, listing methods and placing alike."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from events.shop import Shop
from models import CashRule, CurrencyCode, Order, Role
from tests.api.order.documents import ADDRESS, PLACE, create_variant
from tests.clients import Client, Clients
from tests.given import cny, codes, id_of, refusals

METHODS = """
query ($input: PaymentMethodsInput!) {
  paymentMethods(input: $input) { method possible limit { amount } refusal { code message } }
}
"""
SICHUAN = ADDRESS | {"province": "四川省", "city": "成都市", "district": "锦江区", "line1": "红星路 8 号"}
NOWHERE = ("LIMIT_REACHED", "No cash is taken at the door there.")


async def add_rule(
    shop: Shop, country: str = "", province: str = "", *, least: int = 0, most: int, currency: str = "CNY"
) -> None:
    """A rule; amounts in whole units."""
    async with shop.database.writes.begin() as session:
        session.add(
            CashRule(
                country_code=country,
                province=province,
                currency=CurrencyCode(currency),
                min_amount=least * 100,
                max_amount=most * 100,
            )
        )


async def order_by_cash(
    customer: Client, shop: Shop, *addresses: dict[str, str], amount: str = "99.00"
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What paymentMethods and orderPlace say of one thing to each address, `amount` of it in cash."""
    tea = await create_variant(shop)
    deliveries = [
        {"address": {"postal": address}, "lines": [{"variantId": id_of(tea), "quantity": 1}]}
        for address in addresses
    ]
    quote = {"lines": [{"variantId": id_of(tea), "quantity": len(addresses)}], "deliveries": deliveries}
    listed = await customer.get(METHODS, input={"quote": quote, "amount": cny(amount)})
    [option] = [each for each in listed["paymentMethods"] if each["method"] == "CASH_ON_DELIVERY"]
    rest = f"{99 * len(addresses) - Decimal(amount):.2f}"
    payments = [{"method": "CASH_ON_DELIVERY", "amount": cny(amount)}]
    if rest != "0.00":
        payments.append({"method": "SANDBOX", "amount": cny(rest)})
    placed = await customer.do(PLACE, **quote, payments=payments, idempotencyKey=f"key {tea.id}")
    return option, placed


def refusal_of(option: dict[str, Any], placed: dict[str, Any]) -> tuple[str, str] | None:
    """Why not; the same in both places."""
    refused = [(error["code"], error["message"]) for error in placed["userErrors"]]
    listed = option["refusal"] and (option["refusal"]["code"], option["refusal"]["message"])
    assert option["possible"] is (not refused)
    assert refused == ([listed] if listed else [])
    return listed


async def test_the_narrowest_rule_around_the_address_counts(clients: Clients, shop: Shop) -> None:
    customer = await clients.customer()
    await add_rule(shop, most=0)
    await add_rule(shop, "CN", most=98)
    await add_rule(shop, "CN", "浙江省", most=99)
    await add_rule(shop, "CN", "浙江省", most=1, currency="USD")

    here = await order_by_cash(customer, shop, ADDRESS)
    elsewhere = await order_by_cash(customer, shop, SICHUAN)
    other_spelling = await order_by_cash(customer, shop, ADDRESS | {"province": "浙江"})

    assert refusal_of(*here) is None
    assert refusal_of(*elsewhere) == ("LIMIT_REACHED", "At most 98.00 CNY can be paid at the door.")
    assert refusal_of(*other_spelling) is None
    assert [option["limit"]["amount"] for option, _ in (here, elsewhere)] == ["99.00", "98.00"]


async def test_no_cash_is_taken_where_a_rule_says_so(clients: Clients, shop: Shop) -> None:
    customer = await clients.customer()
    await add_rule(shop, "CN", "四川省", most=0)

    assert refusal_of(*await order_by_cash(customer, shop, SICHUAN)) == NOWHERE
    assert refusal_of(*await order_by_cash(customer, shop, ADDRESS)) is None


@pytest.mark.parametrize(
    ("amount", "expected"),
    [("30.00", None), ("29.99", ("INVALID", "Cash at the door is taken from 30.00 CNY on."))],
)
async def test_less_cash_than_the_least_is_refused(
    clients: Clients, shop: Shop, amount: str, expected: tuple[str, str] | None
) -> None:
    await add_rule(shop, "CN", least=30, most=5_000)

    answers = await order_by_cash(await clients.customer(), shop, ADDRESS, amount=amount)

    assert refusal_of(*answers) == expected


async def test_an_order_that_goes_to_several_places_follows_the_strictest_rule(
    clients: Clients, shop: Shop
) -> None:
    await add_rule(shop, "CN", "四川省", most=0)

    answers = await order_by_cash(await clients.customer(), shop, ADDRESS, SICHUAN, amount="198.00")

    assert refusal_of(*answers) == NOWHERE


async def test_without_an_address_the_rule_of_everywhere_counts(clients: Clients, shop: Shop) -> None:
    await add_rule(shop, most=70)
    await add_rule(shop, "CN", most=0)

    listed = await clients.guest().get(METHODS, input={})

    [option] = [each for each in listed["paymentMethods"] if each["method"] == "CASH_ON_DELIVERY"]
    assert (option["possible"], option["limit"]) == (True, {"amount": "70.00"})


async def test_nothing_is_placed_where_cash_is_refused(clients: Clients, shop: Shop) -> None:
    await add_rule(shop, most=0)

    _, placed = await order_by_cash(await clients.customer(), shop, ADDRESS)

    assert placed["order"] is None
    async with shop.database.reads() as session:
        assert await session.get(Order, 1) is None


SAVE = """
mutation ($input: CashRuleSaveInput!) {
  cashRuleSave(input: $input) {
    cashRules { countryCode province minimum { amount } maximum { amount currencyCode } version }
    userErrors { code field }
  }
}
"""
REMOVE = """
mutation ($input: CashRuleRemoveInput!) {
  cashRuleRemove(input: $input) { cashRules { countryCode } userErrors { code field } }
}
"""
RULES = "{ cashRules { countryCode province maximum { amount } version } }"


async def test_the_staff_set_and_remove_rules(clients: Clients, shop: Shop) -> None:
    clerk, customer = await clients.staff(Role.WAREHOUSE), await clients.customer()

    await clerk.do(SAVE, maximum=cny("100.00"))
    await clerk.do(SAVE, countryCode="cn", province="四川", maximum=cny("50.00"), minimum=cny("1.00"))
    saved = await clerk.do(SAVE, countryCode="CN", province="四川省", maximum=cny("0.00"), version=1)

    assert saved["cashRules"] == [
        {
            "countryCode": None,
            "province": None,
            "minimum": {"amount": "0.00"},
            "maximum": cny("100.00"),
            "version": 1,
        },
        {
            "countryCode": "CN",
            "province": "四川省",
            "minimum": {"amount": "0.00"},
            "maximum": cny("0.00"),
            "version": 2,
        },
    ]
    assert refusal_of(*await order_by_cash(customer, shop, SICHUAN)) == NOWHERE
    rule = {"countryCode": "CN", "province": "四川省", "currency": "CNY"}
    removed = await clerk.do(REMOVE, **rule, version=2)
    assert removed["cashRules"] == [{"countryCode": None}]
    assert refusal_of(*await order_by_cash(customer, shop, SICHUAN)) is None
    again = await clerk.do(REMOVE, **rule, version=2)
    assert refusals(again) == [("NOT_FOUND", "countryCode")]


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"countryCode": "XX", "maximum": cny("1.00")}, ("INVALID", "countryCode")),
        ({"countryCode": "CN", "province": "Kansas", "maximum": cny("1.00")}, ("INVALID", "province")),
        ({"province": "浙江省", "maximum": cny("1.00")}, ("INVALID", "countryCode")),
        ({"maximum": cny("-1.00")}, ("INVALID", "maximum")),
        ({"maximum": cny("10000000.01")}, ("INVALID", "maximum")),
        ({"maximum": cny("1.00"), "minimum": cny("1.01")}, ("INVALID", "minimum")),
        ({"maximum": cny("1.00"), "minimum": cny("-0.01")}, ("INVALID", "minimum")),
        (
            {"maximum": cny("1.00"), "minimum": {"amount": "1.00", "currencyCode": "USD"}},
            ("INVALID", "minimum"),
        ),
    ],
)
async def test_a_rule_that_makes_no_sense_is_refused(
    clients: Clients, given: dict[str, Any], refusal: tuple[str, str]
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)

    refused = await clerk.do(SAVE, **given)

    assert refusals(refused) == [refusal]
    assert refused["cashRules"] is None
    assert (await clerk.get(RULES))["cashRules"] == []


async def test_only_the_staff_of_the_warehouse_set_rules(clients: Clients) -> None:
    for role in (Role.CUSTOMER, Role.SUPPORT):
        refused = await (await clients.staff(role)).do(SAVE, maximum=cny("0.00"))
        assert codes(refused) == ["FORBIDDEN"]


@pytest.mark.parametrize("version", [None, 1, 3])
async def test_an_edit_of_a_rule_that_has_not_read_it_is_refused(
    clients: Clients, version: int | None
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    await clerk.do(SAVE, countryCode="CN", maximum=cny("100.00"))
    await clerk.do(SAVE, countryCode="CN", maximum=cny("90.00"), version=1)
    before = await clerk.get(RULES)

    saved = await clerk.do(SAVE, countryCode="CN", maximum=cny("80.00"), version=version)
    removed = await clerk.do(REMOVE, countryCode="CN", currency="CNY", version=version or 1)
    foreign = await clerk.do(SAVE, maximum=cny("1.00"), version=1)

    assert [refusals(each) for each in (saved, removed, foreign)] == [[("CONFLICT", "version")]] * 3
    assert await clerk.get(RULES) == before
    assert before["cashRules"][0]["version"] == 2


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("version", [None, 1])
async def test_of_clerks_who_set_a_rule_at_once_one_has_set_it(clients: Clients, version: int | None) -> None:
    clerks = [await clients.staff(Role.WAREHOUSE) for _ in range(6)]
    if version:
        await clerks[0].do(SAVE, maximum=cny("10.00"))
    amounts = [cny(f"{number}.00") for number in range(20, 26)]

    answers = await asyncio.gather(
        *(clerk.do(SAVE, maximum=each, version=version) for clerk, each in zip(clerks, amounts, strict=True))
    )

    assert sorted(codes(each) for each in answers) == [[], *[["CONFLICT"]] * 5]
    [kept] = [each for each, answer in zip(amounts, answers, strict=True) if not answer["userErrors"]]
    assert (await clerks[0].get(RULES))["cashRules"] == [
        {
            "countryCode": None,
            "province": None,
            "maximum": {"amount": kept["amount"]},
            "version": (version or 0) + 1,
        }
    ]
