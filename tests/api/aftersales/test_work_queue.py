"""The work queue: what waits now, then each change, and what is due soon without any event."""

import asyncio
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from domain.events import TicketOverdue, TicketRefundFailed
from events.relay import Relay
from events.shop import Shop
from events.subscriptions.work_feed import QueueItem, WorkChange, WorkFeed
from events.topics import STAFF_TOPIC
from events.work_queue import work_of
from loaders.event import OVERLAP
from loaders.work_queue import WorkQueue, count_queues
from models import Permission, Role, Ticket, is_granted
from resolvers.ids import global_id
from tests.api.aftersales.documents import TicketCase, command, open_ticket
from tests.api.aftersales.test_agreement_rules import save
from tests.clients import Clients
from tests.conftest import Clock
from tests.events.test_bus import running_bus
from tests.events.test_event_archive import record_newer_events
from tests.observe import TIMEOUT_SECONDS, count_statements, run_until_idle, wait_until
from tests.servers import RedisServer

WATCH = """subscription { workQueue(current: true) { change name subject { id } counts { queue count } } }"""
BRIEF = "subscription { workQueue(current: true) { change name subject { id } } }"
COUNTS = "{ workQueueCounts { queue count } }"


def counted(rows: list[dict[str, Any]]) -> dict[str, int]:
    return {row["queue"]: row["count"] for row in rows if row["count"]}


async def relay(shop: Shop) -> None:
    await Relay(shop, {}).run_once()


async def test_an_agent_sees_what_waits_and_then_each_change(
    case: TicketCase, shop: Shop, clients: Clients
) -> None:
    calm = await open_ticket(case, idempotencyKey="a")
    urgent = await open_ticket(case, idempotencyKey="b", description="This is fraud.")
    await relay(shop)

    async with case.agent.watch(WATCH) as watch:

        async def following() -> tuple[str, str | None, dict[str, int]]:
            item = (await watch.next())["data"]["workQueue"]
            subject = item["subject"] and item["subject"]["id"]
            return item["change"], subject, counted(item["counts"] or [])

        assert await following() == ("WAITING", urgent, {})
        assert await following() == ("WAITING", calm, {})
        assert await following() == ("CURRENT", None, {"NEW": 2, "UNASSIGNED": 2})

        await case.agent.do(command("ticketTake"), id=calm)
        await relay(shop)
        assert await following() == ("CHANGED", calm, {"NEW": 1, "MINE": 1, "UNASSIGNED": 1})

        await case.customer.do(command("ticketMessageAdd"), id=calm, body="Well?")
        await relay(shop)
        change, subject, counts = await following()
        assert (change, subject, counts["ANSWERED"]) == ("ANSWERED", calm, 1)

        await case.agent.do(command("ticketMessageAdd"), id=calm, body="Soon.")
        await relay(shop)
        change, subject, counts = await following()
        assert (change, subject, counts.get("ANSWERED")) == ("CHANGED", calm, None)

        await case.agent.do(command("ticketAgree"), id=calm)
        await relay(shop)
        assert (await following())[:2] == ("GONE", calm)

        new = await open_ticket(case, idempotencyKey="c")
        await relay(shop)
        assert (await following())[:2] == ("NEW", new)
        assert await watch.is_quiet()


async def test_a_ticket_is_due_soon_without_any_event(
    case: TicketCase, shop: Shop, clock: Clock, clients: Clients
) -> None:
    ticket = await open_ticket(case)
    await relay(shop)
    assert counted((await case.agent.get(COUNTS))["workQueueCounts"]) == {"NEW": 1, "UNASSIGNED": 1}
    async with shop.database.reads() as session:
        attend_by = (await session.scalars(select(Ticket.attend_by))).one()
    assert attend_by
    feed = WorkFeed(shop.database, shop.bus, clock, timedelta(milliseconds=20))
    items: asyncio.Queue[QueueItem] = asyncio.Queue()

    async def follow(role: Role) -> None:
        async for item in feed.follow(role, current=True):
            items.put_nowait(item)

    async def following() -> tuple[WorkChange, str]:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            item = await items.get()
        return item.change, global_id("Ticket", item.subject_id)

    watching = asyncio.create_task(follow(Role.SUPPORT))
    inspecting = asyncio.create_task(follow(Role.WAREHOUSE))
    seen = [await following() for _ in range(3)]
    clock.tick(attend_by - clock() - timedelta(hours=4, seconds=1))
    await asyncio.sleep(0.1)
    early = items.qsize()
    clock.tick(timedelta(seconds=2))
    due = await following()
    await asyncio.sleep(0.1)
    watching.cancel()
    inspecting.cancel()

    assert sorted(change for change, _ in seen) == ["CURRENT", "CURRENT", "WAITING"]
    assert (early, due) == (0, (WorkChange.DUE_SOON, ticket))
    assert items.empty()  # once, and not to the warehouse
    counts = await count_queues(shop.database.reads, Role.SUPPORT, None, now=clock())
    assert [each.count for each in counts if each.queue is WorkQueue.DUE_SOON] == [1]


async def test_a_task_is_seen_though_a_thousand_events_have_come_after_it(
    case: TicketCase, shop: Shop, clock: Clock
) -> None:
    feed = WorkFeed(shop.database, shop.bus, clock, timedelta(hours=1)).follow(Role.SUPPORT, current=True)
    async with asyncio.timeout(TIMEOUT_SECONDS):
        first = await anext(feed)
        looking = asyncio.ensure_future(anext(feed))
        await asyncio.sleep(0.2)  # until it has looked
        ticket = await open_ticket(case)
        await record_newer_events(shop, OVERLAP + 1)
        await shop.bus.notify([STAFF_TOPIC])
        second = await looking

    assert [first.change, second.change] == [WorkChange.CURRENT, WorkChange.NEW]
    assert global_id("Ticket", second.subject_id) == ticket


async def test_each_role_counts_and_sees_only_its_own_queues(
    case: TicketCase, clients: Clients, shop: Shop
) -> None:
    kept, sent, escalated = [await open_ticket(case, idempotencyKey=key) for key in "abc"]
    await case.agent.do(command("ticketAgree"), id=sent)
    await case.customer.do(command("ticketReturnShip"), id=sent, carrier="SIMULATED", trackingNumber="SIM-1")
    await case.agent.do(command("ticketRefuse"), id=escalated, reason="No.")
    await case.customer.do(command("ticketEscalate"), id=escalated)
    await relay(shop)
    seen: dict[Role, Any] = {}
    for role in (Role.SUPPORT, Role.WAREHOUSE, Role.MANAGER):
        staff = await clients.staff(role)
        items: list[str] = []
        async with staff.watch(BRIEF) as watch:
            while (item := (await watch.next())["data"]["workQueue"])["change"] != "CURRENT":
                items.append(item["subject"]["id"])
        counts = (await staff.get(COUNTS))["workQueueCounts"]
        seen[role] = [set(items), {row["queue"] for row in counts}, counted(counts)]
    courier = await clients.staff(Role.COURIER)

    agents = {"NEW", "ANSWERED", "DUE_SOON", "OVERDUE", "MINE", "UNASSIGNED"}
    new = {"NEW": 1, "UNASSIGNED": 1}
    assert seen[Role.SUPPORT] == [{kept, sent}, agents | {"RETURNS"}, new | {"RETURNS": 1}]
    assert seen[Role.WAREHOUSE] == [{sent}, {"RETURNS", "OVERDUE"}, {"RETURNS": 1}]
    both = {"RETURNS": 1, "ESCALATED": 1}
    assert seen[Role.MANAGER] == [{kept, sent, escalated}, agents | {"RETURNS", "ESCALATED"}, new | both]
    assert "FORBIDDEN" in str(await courier.ask(COUNTS))


async def test_looking_at_the_queue_takes_the_same_statements_however_long_it_is(
    case: TicketCase, shop: Shop
) -> None:
    counts = []
    for keys in ("a", "bc"):
        for key in keys:
            await open_ticket(case, idempotencyKey=key)
        await relay(shop)
        with count_statements(shop) as statements:
            async with case.agent.watch(WATCH) as watch:
                while (await watch.next())["data"]["workQueue"]["change"] != "CURRENT":
                    pass
        of_tickets = [each for each in statements.texts if "FROM tickets" in each]
        one_by_one = [each for each in of_tickets if "tickets.id =" in each or "tickets.id IN" in each]
        counts.append((sum("count(" in each for each in of_tickets), len(one_by_one)))

    assert counts == [(1, 0), (1, 0)]


def test_whoever_counts_what_is_overdue_or_failed_is_told_of_it() -> None:
    received = {role for role in Role if {TicketOverdue, TicketRefundFailed} <= set(work_of(role))}
    overdue = {role for role in Role if TicketOverdue in work_of(role)}
    assert overdue - received == {Role.WAREHOUSE}
    assert received == {role for role in Role if is_granted(Permission.TICKET_HANDLE, role)}
    assert received == {Role.SUPPORT, Role.MANAGER, Role.ADMIN}


async def test_changes_that_come_together_are_read_and_counted_once(case: TicketCase, shop: Shop) -> None:
    counts = []
    async with case.agent.watch(WATCH) as watch:
        assert (await watch.next())["data"]["workQueue"]["change"] == "CURRENT"
        for keys in ("a", "bc"):
            opened = [await open_ticket(case, idempotencyKey=key) for key in keys]
            with count_statements(shop) as statements:
                await relay(shop)
                items = [(await watch.next())["data"]["workQueue"] for _ in opened]
            assert [item["subject"]["id"] for item in items] == opened
            assert {counted(item["counts"])["NEW"] for item in items} == {2 * len(keys) - 1}
            of_tickets = [each for each in statements.texts if "FROM tickets" in each]
            counts.append(len(of_tickets))

    assert counts[0] == counts[1]


async def test_the_warehouse_is_told_of_what_came_back_and_nobody_has_inspected(
    case: TicketCase, clients: Clients, shop: Shop, clock: Clock
) -> None:
    unanswered, sent = [await open_ticket(case, idempotencyKey=key) for key in "ab"]
    manager = await clients.staff(Role.MANAGER)
    assert (await save(manager, code="silence", moment="SILENCE", active=False, version=1))[
        "userErrors"
    ] == []
    await case.agent.do(command("ticketAgree"), id=sent)
    await case.customer.do(command("ticketReturnShip"), id=sent, carrier="SIMULATED", trackingNumber="SIM-1")
    await relay(shop)
    feed = WorkFeed(shop.database, shop.bus, clock, timedelta(milliseconds=20))
    overdue: dict[Role, set[str]] = {Role.WAREHOUSE: set(), Role.MANAGER: set()}

    async def follow(role: Role) -> None:
        async for item in feed.follow(role, current=True):
            if item.change is WorkChange.OVERDUE:
                overdue[role].add(global_id("Ticket", item.subject_id))

    watching = [asyncio.create_task(follow(role)) for role in overdue]
    await asyncio.sleep(0.1)
    clock.tick(timedelta(days=11))
    await run_until_idle(shop)
    await wait_until(lambda: len(overdue[Role.MANAGER]) == 2)
    await asyncio.sleep(0.1)
    for each in watching:
        each.cancel()

    assert overdue == {Role.MANAGER: {unanswered, sent}, Role.WAREHOUSE: {sent}}
    for role, expected in ((Role.MANAGER, 2), (Role.SUPPORT, 2), (Role.WAREHOUSE, 1)):
        counts = await count_queues(shop.database.reads, role, None, now=clock())
        assert [each.count for each in counts if each.queue is WorkQueue.OVERDUE] == [expected]


async def test_another_process_hears_of_the_change_over_redis(
    case: TicketCase, shop: Shop, clock: Clock, redis_server: RedisServer
) -> None:
    async with running_bus(redis_server.url) as relaying, running_bus(redis_server.url) as listening:
        other = WorkFeed(shop.database, listening, clock, timedelta(minutes=5))
        items: asyncio.Queue[QueueItem] = asyncio.Queue()

        async def follow() -> None:
            async for item in other.follow(Role.SUPPORT, current=True):
                items.put_nowait(item)

        watching = asyncio.create_task(follow())
        async with asyncio.timeout(TIMEOUT_SECONDS):
            first = await items.get()
            await asyncio.sleep(0.2)  # until it waits
            ticket = await open_ticket(case)
            await relaying.notify([STAFF_TOPIC])
            second = await items.get()
        watching.cancel()

    assert [first.change, second.change] == [WorkChange.CURRENT, WorkChange.NEW]
    assert global_id("Ticket", second.subject_id) == ticket
