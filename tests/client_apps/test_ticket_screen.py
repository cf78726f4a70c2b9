"""The screen on which an agent answers a ticket is one operation, whose statements do not grow."""

from tests.client_apps.conftest import SignIn
from tests.client_apps.test_tickets import ask_question
from tests.clients import Clients
from tests.observe import count_statements


async def test_an_agent_sees_all_of_a_ticket_in_one_operation(sign_in: SignIn, clients: Clients) -> None:
    web, desk = await sign_in("web", "xiaoyu"), await sign_in("staff", "support")
    asked = await ask_question(web)
    ticket = (await desk.read("StaffTicket", number=asked["number"]))["ticket"]
    shown = {"id": ticket["id"], "customerId": ticket["customer"]["id"]}
    counts, screen = [], {}
    for _ in range(3):
        with count_statements(clients.shop) as statements:
            screen = await desk.read("StaffTicketScreen", **shown)
        counts.append(statements.total)
        await desk.do("StaffTicketMessageAdd", id=ticket["id"], body="可以，已寄出。")

    assert screen["ticket"]["order"]["timeline"]
    assert screen["ticket"]["order"]["payments"]
    assert screen["customer"]["figures"]["orders"] > 0
    assert len(screen["ticket"]["messages"]) == 2
    # how many depends on what the search finds in between two statements or with one of them
    assert max(counts) <= 12, counts
