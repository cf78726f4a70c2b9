"""Rules by which the shop agrees by itself, through the API."""

from typing import Any

from sqlalchemy import func, select

from events.shop import Shop
from models import AgreementRule, Role
from tests.api.aftersales.documents import TicketCase, open_ticket, status_of
from tests.clients import Client, Clients
from tests.given import cny, codes, refusals
from tests.observe import run_until_idle

SAVE = """mutation ($input: AgreementRuleSaveInput!) { agreementRuleSave(input: $input) {
  agreementRule { code version active amounts { amount currencyCode } author { role } }
  userErrors { code field } } }"""
RULES = "query ($history: Boolean! = false) { agreementRules(history: $history) { code version active } }"
DECIDED = """query($id: ID!) { ticket(id: $id) { status overdueSince overdueObstacle ruleDecisions {
  step worth { amount } rule { code version title } } } }"""

RULE: dict[str, Any] = {
    "code": "small",
    "title": "Small amounts",
    "moment": "OPENED",
    "types": ["REFUND_ONLY"],
    "reasons": ["QUALITY_FAULT"],
    "amounts": [cny("100.00")],
    "dailyAmounts": [cny("150.00")],
    "dailyTickets": 10,
}


async def save(manager: Client, **changes: Any) -> dict[str, Any]:
    return await manager.do(SAVE, **(RULE | changes))


async def test_a_manager_adds_versions_of_a_rule_and_ends_it(clients: Clients) -> None:
    manager, agent = await clients.staff(Role.MANAGER), await clients.staff(Role.SUPPORT)

    first = await save(manager)
    stale = await save(manager)
    ended = await save(manager, active=False, version=1)
    refused = await save(agent, version=2)
    now, ever = [(await agent.get(RULES, history=each))["agreementRules"] for each in (False, True)]

    assert first["agreementRule"] == {
        "code": "small",
        "version": 1,
        "active": True,
        "amounts": [cny("100.00")],
        "author": {"role": "MANAGER"},
    }
    assert refusals(stale) == [("CONFLICT", "version")]
    assert ended["agreementRule"]["version"] == 2
    assert codes(refused) == ["FORBIDDEN"]
    assert [(each["code"], each["version"], each["active"]) for each in now] == [
        ("silence", 1, True),
        ("small", 2, False),
    ]
    assert [each["version"] for each in ever] == [2, 1, 1]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"code": "Small amounts"}, "code"),
    ({"title": " "}, "title"),
    ({"title": "x" * 201}, "title"),
    ({"types": []}, "types"),
    ({"types": ["QUESTION"]}, "types"),
    ({"reasons": ["QUESTION"]}, "reasons"),
    ({"types": ["EXCHANGE"], "reasons": ["NOT_RECEIVED"]}, "reasons"),
    ({"dailyAmounts": []}, "dailyAmounts"),
    ({"dailyAmounts": [cny("-1.00")]}, "dailyAmounts.0.amount"),
    ({"amounts": [cny("1.00"), cny("2.00")]}, "amounts.1.currencyCode"),
    ({"amounts": [cny("0.001")]}, "amounts.0.amount"),
    ({"dailyTickets": -1}, "dailyTickets"),
    ({"ticketsAtMost": 10_001}, "ticketsAtMost"),
]


async def test_what_makes_no_rule_is_refused_by_its_field(clients: Clients, shop: Shop) -> None:
    manager = await clients.staff(Role.MANAGER)

    found = [refusals(await save(manager, **wrong)) for wrong, _ in WRONG]

    assert found == [[("INVALID", field)] for _, field in WRONG]
    async with shop.database.reads() as session:
        assert await session.scalar(select(func.count(AgreementRule.id))) == 1


async def test_a_ticket_tells_the_staff_which_rule_has_decided_and_the_customer_nothing_of_it(
    case: TicketCase, clients: Clients, shop: Shop
) -> None:
    await save(await clients.staff(Role.MANAGER))
    first = await open_ticket(case, type="REFUND_ONLY", idempotencyKey="1")
    await run_until_idle(shop)
    second = await open_ticket(case, type="REFUND_ONLY", idempotencyKey="2")
    await run_until_idle(shop)

    shown = (await case.agent.get(DECIDED, id=first))["ticket"]
    to_customer = (await case.customer.get(DECIDED, id=first))["ticket"]

    assert shown == {
        "status": "COMPLETED",
        "overdueSince": None,
        "overdueObstacle": None,
        "ruleDecisions": [
            {
                "step": "AGREED",
                "worth": {"amount": "99.00"},
                "rule": {"code": "small", "version": 1, "title": "Small amounts"},
            }
        ],
    }
    assert to_customer["ruleDecisions"] == []
    assert await status_of(case, second) == "APPLIED"
