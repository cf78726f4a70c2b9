"""Questions of customers, the texts to answer with, and the rules that agree by themselves."""

from typing import Any

from tests.client_apps.client_app import ClientApp
from tests.client_apps.conftest import SignIn
from tests.client_apps.test_staff_people import find_customer


async def ask_question(web: ClientApp, key: str = "question") -> dict[str, Any]:
    order = (await web.read("WebOrder", number="DEMO0010"))["order"]
    opened = await web.do(
        "WebTicketOpen",
        orderId=order["id"],
        type="QUESTION",
        reason="QUESTION",
        description="可以开发票吗？",
        idempotencyKey=key,
    )
    ticket: dict[str, Any] = opened["ticket"]
    return ticket


async def test_a_question_is_answered_read_and_closed(sign_in: SignIn) -> None:
    web, desk = await sign_in("web", "xiaoyu"), await sign_in("staff", "support")
    ticket = await ask_question(web)

    answered = await desk.do("StaffTicketMessageAdd", id=ticket["id"], body="可以，已寄出。")
    unread = (await web.read("WebTicket", number=ticket["number"]))["ticket"]
    (message,) = unread["messages"]
    read = await web.do("WebTicketRead", id=ticket["id"], messageId=message["id"])
    thanks = await web.do("WebTicketMessageAdd", id=ticket["id"], body="谢谢")
    seen = await desk.do("StaffTicketRead", id=ticket["id"], messageId=thanks["ticket"]["messages"][-1]["id"])
    await desk.do("StaffTicketMessageAdd", id=ticket["id"], body="不客气")
    closed = await web.do("WebTicketClose", id=ticket["id"])
    too_early = await web.refused("WebTicketRate", id=ticket["id"], rating=5)

    assert answered["ticket"]["status"] == "ANSWERED"
    assert (unread["unread"], read["ticket"]["unread"], seen["ticket"]["unread"]) == (1, 0, 0)
    assert closed["ticket"]["status"] == "COMPLETED"
    assert too_early == ["WRONG_STATE"]


async def test_what_is_about_no_order_is_asked_and_answered(sign_in: SignIn) -> None:
    web, desk = await sign_in("web", "xiaoyu"), await sign_in("staff", "support")
    asked = await web.do("WebQuestionAsk", description="拉萨可以送货吗？", idempotencyKey="lhasa")
    ticket = asked["ticket"]

    customer = await find_customer(desk, "DEMO0010")
    screen = await desk.read("StaffTicketScreen", id=ticket["id"], customerId=customer["account"]["id"])
    await desk.do("StaffTicketMessageAdd", id=ticket["id"], body="可以。")
    shown = (await web.read("WebTicket", number=ticket["number"]))["ticket"]
    listed = (await web.read("WebTickets", first=50, after=None))["tickets"]["nodes"]

    assert (screen["ticket"]["order"], screen["ticketRuleForecast"]) == (None, None)
    assert (shown["order"], shown["status"]) == (None, "ANSWERED")
    assert {"id": ticket["id"], "order": None} in [{k: each[k] for k in ("id", "order")} for each in listed]


async def test_support_closes_a_question(sign_in: SignIn) -> None:
    web, desk = await sign_in("web", "xiaoyu"), await sign_in("staff", "support")
    ticket = await ask_question(web)
    await desk.do("StaffTicketMessageAdd", id=ticket["id"], body="可以，已寄出。")

    closed = await desk.do("StaffTicketClose", id=ticket["id"])

    assert closed["ticket"]["status"] == "COMPLETED"


async def test_a_canned_answer_has_the_facts_of_the_ticket(sign_in: SignIn) -> None:
    web, desk = await sign_in("web", "xiaoyu"), await sign_in("staff", "support")
    ticket = await ask_question(web)

    saved = await desk.do(
        "StaffCannedAnswerSave",
        code="invoice-sent",
        language="zh",
        title="发票已寄",
        body="订单{order}的发票已寄出。",
    )
    answer = saved["cannedAnswer"]
    listed = (await desk.read("StaffCannedAnswers", language="zh"))["cannedAnswers"]
    text = (await desk.read("StaffCannedAnswerText", id=answer["id"], ticketId=ticket["id"]))[
        "cannedAnswerText"
    ]
    archived = await desk.do("StaffCannedAnswerArchive", id=answer["id"], version=answer["version"])

    assert "invoice-sent" in [each["code"] for each in listed]
    assert text == "订单DEMO0010的发票已寄出。"
    assert archived["cannedAnswer"]["archivedAt"] is not None


async def test_a_manager_saves_to_what_the_shop_agrees_by_itself(sign_in: SignIn) -> None:
    desk = await sign_in("staff", "manager")

    saved = await desk.do(
        "StaffAgreementRuleSave",
        code="damaged-small",
        title="小额破损",
        moment="OPENED",
        types=["REFUND_ONLY"],
        reasons=["DAMAGED"],
        amounts=[{"amount": "20.00", "currencyCode": "CNY"}],
        dailyAmounts=[{"amount": "500.00", "currencyCode": "CNY"}],
        dailyTickets=20,
        needsPicture=True,
    )
    rules = (await desk.read("StaffAgreementRules"))["agreementRules"]

    assert saved["agreementRule"]["version"] == 1
    assert "damaged-small" in [each["code"] for each in rules]


async def test_a_manager_saves_a_word_that_makes_tickets_urgent(sign_in: SignIn) -> None:
    desk = await sign_in("staff", "manager")

    saved = await desk.do(
        "StaffUrgentTermSave", language="zh", word="漏水", hours=12, exceptions=["防漏水"], version=None
    )
    terms = (await desk.read("StaffUrgentTerms"))["urgentTerms"]

    assert saved["urgentTerm"]["version"] == 1
    assert saved["urgentTerm"] in terms


async def count_mine(desk: ClientApp) -> int:
    """How many tickets that wait for the shop somebody has."""
    counts = (await desk.read("StaffWorkQueueCounts"))["workQueueCounts"]
    return sum(int(each["count"]) for each in counts if each["queue"] == "MINE")


async def test_an_agent_says_what_they_handle_and_takes_the_most_urgent_ticket(sign_in: SignIn) -> None:
    web, desk, manager = (
        await sign_in("web", "xiaoyu"),
        await sign_in("staff", "support"),
        await sign_in("staff", "manager"),
    )
    before = await count_mine(desk)
    ticket = await ask_question(web)
    taken = await desk.do("StaffTicketTake", id=ticket["id"])
    me = taken["ticket"]["assignee"]["id"]

    saved = await manager.do(
        "StaffTicketAgentSave",
        accountId=me,
        skills=[{"type": "QUESTION", "language": "zh"}],
        openLimit=0,
        version=None,
    )
    after = await count_mine(desk)
    listed = (await desk.read("StaffUrgentTickets", after=None))["tickets"]["nodes"]
    away = await desk.do("StaffTicketPresenceSet", present=False)
    agents = (await desk.read("StaffTicketAgents"))["ticketAgents"]

    assert saved["ticketAgent"]["skills"] == [{"type": "QUESTION", "language": "zh"}]
    assert after == before + 1
    assert ticket["id"] in [each["id"] for each in listed]
    assert away["ticketAgent"]["awaySince"] is not None
    assert [each["load"] for each in agents if each["account"]["id"] == me] == [0]


async def test_support_merges_a_question_that_was_asked_twice(sign_in: SignIn) -> None:
    web, desk = await sign_in("web", "xiaoyu"), await sign_in("staff", "support")
    first, second = [await ask_question(web, key=key) for key in "ab"]

    merged = await desk.do("StaffTicketMerge", id=second["id"], intoId=first["id"])
    refused = await desk.refused("StaffTicketSplit", id=first["id"], lines=[], idempotencyKey="s")

    assert [each["id"] for each in merged["ticket"]["merged"]] == [second["id"]]
    assert refused == ["WRONG_STATE"]
