"""The staff desk: orders, packing, delivery runs and tickets."""

from typing import Any

from tests.client_apps.client_app import ClientApp, relay_events
from tests.client_apps.conftest import SignIn
from tests.clients import Clients
from tests.geo.svg import marks_of, parse_map


async def test_a_desk_shows_its_work_and_is_told_of_new_tasks(sign_in: SignIn, clients: Clients) -> None:
    desk, web = await sign_in("staff", "manager"), await sign_in("web", "xiaoyu")
    order = (await web.read("WebOrder", number="DEMO0010"))["order"]
    await relay_events(clients.shop)

    async with desk.watch("StaffWorkQueue") as watch:
        asked = await web.do(
            "WebTicketOpen",
            orderId=order["id"],
            type="RETURN_REFUND",
            reason="NO_REASON",
            lines=[{"orderLineId": order["lines"][0]["id"], "quantity": 1}],
            description="不想要了",
            idempotencyKey="new task",
        )
        await relay_events(clients.shop)
        item = (await watch.next())["data"]["workQueue"]
    viewer = (await desk.read("StaffViewer"))["viewer"]
    shown = await desk.read("StaffTasks", packs=True, answers=True, stocks=False)

    assert (item["name"], item["subject"]["number"]) == ("ticket.opened", asked["ticket"]["number"])
    assert (viewer["role"], shown["toPack"]["totalCount"], "lowStock" in shown) == ("MANAGER", 5, False)
    listed = (await desk.read("StaffTickets", filter={"status": ["APPLIED"]}, first=100))["tickets"]
    assert shown["openTickets"]["totalCount"] == listed["totalCount"]


async def test_the_order_desk_holds_notes_and_cancels_an_order(sign_in: SignIn) -> None:
    desk = await sign_in("staff", "manager")
    found = (await desk.read("StaffOrders", query="DEMO0003", sort="NEWEST", first=5))["orders"]["nodes"]
    order = found[0]

    held = (await desk.do("StaffOrderHold", id=order["id"], reason="电话确认地址"))["order"]
    released = (await desk.do("StaffOrderRelease", id=order["id"]))["order"]
    noted = (await desk.do("StaffOrderNoteAdd", id=order["id"], text="地址已确认"))["orderNote"]
    update = await desk.first_update("StaffOrderUpdates", id=order["id"], after=released["version"] - 1)
    cancelled = (await desk.do("StaffOrderCancel", id=order["id"], reason="客户来电取消"))["order"]
    shown = (await desk.read("StaffOrder", number="DEMO0003"))["order"]

    assert [each["number"] for each in found] == ["DEMO0003"]
    assert (held["hold"], released["hold"]) == ("电话确认地址", None)
    assert shown["staffNotes"] == [noted]
    assert (update["version"], update["order"]["heldAt"]) == (released["version"], None)
    assert (cancelled["status"], shown["cancelReason"]) == ("CANCELLED", "客户来电取消")


async def test_a_refund_in_goodwill_stands_among_the_refunds(sign_in: SignIn) -> None:
    desk = await sign_in("staff", "manager")
    order = (await desk.read("StaffOrder", number="DEMO0012"))["order"]
    amount = {"amount": "5.00", "currencyCode": "CNY"}

    refunded = await desk.do(
        "StaffPaymentRefund", orderId=order["id"], amount=amount, reason="补偿", idempotencyKey="five"
    )
    refunds = (await desk.read("StaffRefunds", status=["PENDING"], first=5))["refunds"]["nodes"]

    (refund,) = refunded["order"]["payments"][0]["refunds"]
    assert (refund["status"], refund["total"]) == ("PENDING", amount)
    assert (refund["id"], "DEMO0012") in [(each["id"], each["order"]["number"]) for each in refunds]


async def pack_first_delivery(desk: ClientApp) -> tuple[dict[str, Any], dict[str, Any]]:
    """Pack what waits longest into one parcel; return the delivery and the parcel."""
    delivery = (await desk.read("StaffDeliveriesToPack", first=1))["deliveriesToPack"]["nodes"][0]
    return delivery, await pack_delivery(desk, delivery)


async def pack_delivery(desk: ClientApp, delivery: dict[str, Any]) -> dict[str, Any]:
    """Pack everything of a delivery into one parcel; return it."""
    lines = [
        {"deliveryLineId": line["id"], "quantity": line["quantity"] - line["packed"]}
        for line in delivery["lines"]
    ]
    packed = await desk.do("StaffShipmentPack", deliveryId=delivery["id"], parcels=[{"lines": lines}])
    parcel: dict[str, Any]
    (parcel,) = packed["shipments"]
    return parcel


async def test_a_parcel_is_packed_unpacked_and_dispatched(sign_in: SignIn) -> None:
    desk = await sign_in("staff", "warehouse")
    before, parcel = await pack_first_delivery(desk)

    unpacked = (await desk.do("StaffShipmentUnpack", id=parcel["id"]))["delivery"]
    again, parcel = await pack_first_delivery(desk)
    sent = (await desk.do("StaffShipmentDispatch", id=parcel["id"], carrier="OWN", trackingNumber="OWN1"))[
        "shipment"
    ]
    moved = await desk.do(
        "StaffShipmentEventAdd",
        id=parcel["id"],
        status="OUT_FOR_DELIVERY",
        description="派送中",
        location="上海",
    )
    listed = (await desk.read("StaffShipments", filter={"status": ["OUT_FOR_DELIVERY"]}, first=50))[
        "shipments"
    ]

    assert (unpacked["id"], [line["packed"] for line in unpacked["lines"]]) == (
        before["id"],
        [line["packed"] for line in before["lines"]],
    )
    assert (again, sent["trackingNumber"]) == (before, "OWN1")
    assert [each["description"] for each in moved["shipment"]["events"]] == ["派送中"]
    assert parcel["id"] in [each["id"] for each in listed["nodes"]]


async def plan_run(desk: ClientApp, courier_id: str) -> dict[str, Any]:
    """Plan a run of the parcel that waits in DEMO0005; return it."""
    order = (await desk.read("StaffOrder", number="DEMO0005"))["order"]
    parcel = order["shipments"][0]
    planned = await desk.do(
        "StaffDeliveryRunPlan",
        courierId=courier_id,
        warehouseId=parcel["warehouse"]["id"],
        shipmentIds=[parcel["id"]],
        vehicle="沪A 12345",
    )
    run: dict[str, Any] = planned["deliveryRun"]
    return run


async def test_a_courier_drives_a_planned_run(sign_in: SignIn) -> None:
    desk, courier = await sign_in("staff", "manager"), await sign_in("staff", "courier")
    courier_id = (await courier.read("StaffViewer"))["viewer"]["account"]["id"]
    cancelled = await desk.do("StaffDeliveryRunCancel", id=(await plan_run(desk, courier_id))["id"])
    run = await plan_run(desk, courier_id)

    started = (await courier.do("StaffDeliveryRunStart", id=run["id"]))["deliveryRun"]
    await courier.do("StaffCourierPositionReport", deliveryRunId=run["id"], latitude=22.7, longitude=113.9)
    update = await courier.first_update("StaffDeliveryRunUpdates", id=run["id"], after=0)
    (stop,) = started["stops"]
    done = (await courier.do("StaffStopComplete", id=stop["id"], outcome="DELIVERED"))["stop"]
    drawn = [
        (await each.read("StaffDeliveryRunMap", id=run["id"]))["node"]["map"] for each in (desk, courier)
    ]
    ended = (await desk.read("StaffDeliveryRun", id=run["id"]))["node"]
    listed = (await desk.read("StaffDeliveryRuns", filter={"status": ["CANCELLED"]}, first=5))["deliveryRuns"]

    assert cancelled["deliveryRun"]["status"] == "CANCELLED"
    assert (update["version"], update["name"]) == (1, "delivery_run.planned")
    assert (done["outcome"], ended["status"]) == ("DELIVERED", "COMPLETED")
    assert [marks_of(parse_map(each)) for each in drawn] == [[("1", "done")]] * 2
    assert (ended["position"]["latitude"], ended["position"]["longitude"]) == (22.7, 113.9)
    assert [each["id"] for each in listed["nodes"]] == [cancelled["deliveryRun"]["id"]]


async def test_the_desk_records_cash_of_a_parcel_that_arrived(sign_in: SignIn) -> None:
    desk = await sign_in("staff", "manager")
    order = (await desk.read("StaffOrder", number="DEMO0004"))["order"]
    parcel = await pack_delivery(desk, order["deliveries"][0])
    await desk.do("StaffShipmentDispatch", id=parcel["id"], carrier="OWN", trackingNumber="OWN1")
    await desk.do("StaffShipmentEventAdd", id=parcel["id"], status="DELIVERED", description="已签收")
    (payment,) = order["payments"]

    collected = (await desk.do("StaffCashCollect", id=payment["id"], amount=payment["total"]))["payment"]

    assert (collected["status"], collected["captured"]) == ("CAPTURED", payment["total"])


async def tickets_by_status(desk: ClientApp) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for ticket in (await desk.read("StaffTickets", first=100))["tickets"]["nodes"]:
        found.setdefault(ticket["status"], []).append(ticket)
    return found


async def test_a_ticket_is_assigned_answered_and_agreed_to(sign_in: SignIn) -> None:
    desk = await sign_in("staff", "support")
    me = (await desk.read("StaffViewer"))["viewer"]["account"]
    ticket, other = [
        each for each in (await tickets_by_status(desk))["APPLIED"] if each["type"] == "RETURN_REFUND"
    ][:1] + (await tickets_by_status(desk))["APPLIED"][-1:]

    assigned = (await desk.do("StaffTicketAssign", id=ticket["id"], assigneeId=me["id"]))["ticket"]
    await desk.do("StaffTicketMessageAdd", id=ticket["id"], body="照片收到了", internal=True)
    agreed = (await desk.do("StaffTicketAgree", id=ticket["id"]))["ticket"]
    refused = (await desk.do("StaffTicketRefuse", id=other["id"], reason="超过了期限"))["ticket"]
    update = await desk.first_update("StaffTicketUpdates", id=ticket["id"], after=0)
    shown = (await desk.read("StaffTicket", number=ticket["number"]))["ticket"]

    assert assigned["assignee"]["name"] == me["name"]
    assert [(each["body"], each["internal"]) for each in shown["messages"]] == [("照片收到了", True)]
    assert (agreed["status"], refused["status"]) == ("AWAITING_RETURN", "REFUSED")
    assert (update["version"], update["name"]) == (1, "ticket.opened")


async def test_a_return_is_received_and_a_dispute_decided(sign_in: SignIn) -> None:
    warehouse, manager = await sign_in("staff", "warehouse"), await sign_in("staff", "manager")
    waiting = (await tickets_by_status(manager))["RETURN_SHIPPED"]
    returned = next(each for each in waiting if each["type"] != "REPAIR")
    refused = (await tickets_by_status(manager))["REFUSED"][0]
    for person in ("xiaoyu", "zhiming", "emma", "xiulan"):
        web = await sign_in("web", person)
        if (await web.read("WebTicket", number=refused["number"]))["ticket"]:
            await web.do("WebTicketEscalate", id=refused["id"])

    shown = (await warehouse.read("StaffTicket", number=returned["number"]))["ticket"]
    units = [
        {"orderLineId": line["orderLine"]["id"], "condition": "AS_NEW", "quantity": line["quantity"]}
        for line in shown["lines"]
    ]
    received = (await warehouse.do("StaffTicketReturnReceive", id=returned["id"], units=units))["ticket"]
    decided = (await manager.do("StaffTicketDecide", id=refused["id"], agreed=False, reason="证据不足"))[
        "ticket"
    ]

    assert {each["condition"] for each in received["inspections"]} == {"AS_NEW"}
    assert received["status"] in {"REFUNDING", "RESHIPPING", "COMPLETED"}
    assert decided["status"] == "REJECTED"


async def test_what_cannot_be_repaired_is_left_to_its_customer(sign_in: SignIn) -> None:
    warehouse, manager = await sign_in("staff", "warehouse"), await sign_in("staff", "manager")
    waiting = (await tickets_by_status(manager))["RETURN_SHIPPED"]
    [ticket] = [each for each in waiting if each["type"] == "REPAIR"]
    [line] = (await warehouse.read("StaffTicket", number=ticket["number"]))["ticket"]["lines"]
    units = {"orderLineId": line["orderLine"]["id"], "quantity": line["quantity"]}
    damaged = units | {"condition": "DAMAGED", "accepted": True}
    received = await warehouse.do("StaffTicketReturnReceive", id=ticket["id"], units=[damaged])
    beyond = units | {"repaired": False, "note": "接口已烧毁，无法更换。"}
    ended = (await warehouse.do("StaffTicketRepairFinish", id=ticket["id"], units=[beyond]))["ticket"]

    chosen = []
    for person in ("xiaoyu", "zhiming", "emma", "xiulan"):
        web = await sign_in("web", person)
        if (await web.read("WebTicket", number=ticket["number"]))["ticket"]:
            taken = await web.do("WebTicketReplacementChoose", id=ticket["id"], choice="SAME_UNITS")
            chosen.append((taken["ticket"]["status"], taken["ticket"]["repair"]["note"]))

    assert chosen == [("RESHIPPING", "接口已烧毁，无法更换。")]
    assert received["ticket"]["status"] == "REPAIRING"
    assert (ended["status"], ended["repair"]["outcome"]) == ("AWAITING_CHOICE", "UNREPAIRABLE")
