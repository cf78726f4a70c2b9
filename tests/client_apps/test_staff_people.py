"""The staff desk: customers are served, parcels that came back are inspected, and terms of claims are set."""

from typing import Any

from tests.client_apps.client_app import ClientApp
from tests.client_apps.conftest import SignIn

SUZHOU = {
    "recipient": "Emma Wood", "phone": "+8613800138003", "province": "江苏省", "city": "苏州市",
    "district": "姑苏区", "line1": "平江路 1 号",
}  # fmt: skip


async def find_customer(desk: ClientApp, query: str) -> dict[str, Any]:
    """Search for somebody who is found alone; return their page."""
    (found,) = (await desk.read("StaffCustomers", query=query, first=5))["customers"]["nodes"]
    customer: dict[str, Any] = (await desk.read("StaffCustomer", id=found["account"]["id"]))["customer"]
    assert customer["email"] == found["email"]
    return customer


async def test_support_orders_for_a_customer_on_the_phone(sign_in: SignIn) -> None:
    desk, admin = await sign_in("staff", "support"), await sign_in("staff", "admin")
    emma = await find_customer(desk, "8003")
    customer_id = emma["account"]["id"]
    tea = (await desk.read("StaffProducts", query="TEA-MF-100", first=1))["products"]["nodes"][0]
    variants = (await desk.read("StaffProduct", id=tea["id"]))["product"]["variants"]
    variant = next(each for each in variants if each["sku"] == "TEA-MF-100")
    (price,) = [each["price"] for each in variant["prices"] if each["price"]["currencyCode"] == "CNY"]

    saved = await desk.do("StaffAddressSave", address=SUZHOU, customerId=customer_id)
    placed = await desk.do(
        "StaffOrderPlace",
        customerId=customer_id,
        lines=[{"variantId": variant["id"], "quantity": 1}],
        deliveries=[{"address": {"id": saved["address"]["id"]}, "method": "STANDARD"}],
        payments=[{"method": "CASH_ON_DELIVERY", "amount": price}],
        currency="CNY",
        idempotencyKey="by phone",
    )
    shown = (await desk.read("StaffOrder", number=placed["order"]["number"]))["order"]
    readings = await admin.read("StaffPersonalDataReadings", customerId=customer_id, first=50)

    assert (emma["account"]["name"], placed["order"]["customer"]["name"]) == ("Emma Wood", "Emma Wood")
    assert [event["actor"]["name"] for event in shown["timeline"] if event["actor"]] == ["何静"]
    read_by = {
        (each["reader"]["name"], each["operation"]) for each in readings["personalDataReadings"]["nodes"]
    }
    assert ("何静", "StaffCustomer") in read_by


async def test_support_opens_a_ticket_for_a_customer(sign_in: SignIn) -> None:
    desk = await sign_in("staff", "support")
    xiaoyu = await find_customer(desk, "DEMO0010")
    order = (await desk.read("StaffOrder", number="DEMO0010"))["order"]

    opened = await desk.do(
        "StaffTicketOpen",
        orderId=order["id"],
        type="RETURN_REFUND",
        reason="NO_REASON",
        lines=[{"orderLineId": order["lines"][0]["id"], "quantity": 1}],
        description="客户来电：不想要了",
        idempotencyKey="by phone",
    )

    assert opened["ticket"]["customer"]["id"] == xiaoyu["account"]["id"]


async def test_support_writes_down_what_a_customer_asks_on_the_phone(sign_in: SignIn) -> None:
    desk = await sign_in("staff", "support")
    xiaoyu = await find_customer(desk, "DEMO0010")

    asked = await desk.do(
        "StaffQuestionAsk",
        customerId=xiaoyu["account"]["id"],
        description="客户来电：周日营业吗？",
        channel="PHONE",
        idempotencyKey="by phone",
    )

    assert asked["ticket"]["customer"]["id"] == xiaoyu["account"]["id"]
    assert (asked["ticket"]["type"], asked["ticket"]["order"]) == ("QUESTION", None)


async def test_a_guest_is_found_among_the_customers(sign_in: SignIn) -> None:
    guest = await find_customer(await sign_in("staff", "support"), "xu.an@example.com")

    assert guest["account"]["role"] == "GUEST_BUYER"
    assert [order["number"] for order in guest["orders"]] == ["DEMO0016"]


async def test_the_staff_are_listed_by_role(sign_in: SignIn) -> None:
    desk = await sign_in("staff", "warehouse")

    couriers = (await desk.read("StaffMembers", role="COURIER", first=5))["staff"]

    assert (couriers["totalCount"], [each["name"] for each in couriers["nodes"]]) == (2, ["李想", "马小军"])


async def find_returned_parcel(desk: ClientApp) -> dict[str, Any]:
    (row,) = (await desk.read("StaffShipments", filter={"waiting": True}, first=5))["shipments"]["nodes"]
    parcel: dict[str, Any] = (await desk.read("StaffReturnedParcel", id=row["id"]))["shipment"]
    assert parcel["order"]["number"] == "DEMO0019"
    return parcel


async def test_what_came_back_is_inspected_and_ended(sign_in: SignIn) -> None:
    desk, support = await sign_in("staff", "warehouse"), await sign_in("staff", "support")
    parcel = await find_returned_parcel(desk)
    (line,) = parcel["lines"]

    inspected = await desk.do(
        "StaffShipmentInspect",
        id=parcel["id"],
        lines=[{"orderLineId": line["orderLine"]["id"], "restocked": line["quantity"]}],
    )
    ended = (await support.do("StaffShipmentEnd", id=parcel["id"]))["shipment"]

    assert [each["restocked"] for each in inspected["shipment"]["lines"]] == [1]
    assert (ended["ending"] is not None, ended["endedAt"] is not None) == (True, True)
    order = (await support.read("StaffOrder", number="DEMO0019"))["order"]
    assert (order["status"], order["total"]["amount"]) == ("CANCELLED", "0.00")


async def test_what_came_back_is_sent_again(sign_in: SignIn) -> None:
    desk, support = await sign_in("staff", "warehouse"), await sign_in("staff", "support")
    parcel = await find_returned_parcel(desk)
    (line,) = parcel["lines"]
    await desk.do(
        "StaffShipmentInspect",
        id=parcel["id"],
        lines=[{"orderLineId": line["orderLine"]["id"], "restocked": line["quantity"]}],
    )

    again = (await support.do("StaffShipmentSendAgain", id=parcel["id"]))["shipment"]

    assert again["waitingSince"] is None
    order = (await support.read("StaffOrder", number="DEMO0019"))["order"]
    assert (order["status"], order["fulfilmentStatus"]) == ("CONFIRMED", "UNFULFILLED")


async def test_a_parcel_that_did_not_come_back_is_corrected(sign_in: SignIn) -> None:
    support = await sign_in("staff", "support")
    parcel = await find_returned_parcel(support)

    corrected = await support.do("StaffShipmentCorrect", id=parcel["id"], reason="扫错了包裹")

    assert (corrected["shipment"]["status"], corrected["shipment"]["waitingSince"]) == ("IN_TRANSIT", None)


async def test_terms_of_claims_are_saved_as_a_new_version(sign_in: SignIn) -> None:
    desk = await sign_in("staff", "manager")
    policies = (await desk.read("StaffClaimPolicies"))["claimPolicies"]
    audio = next(each for each in policies if each["category"] and each["category"]["name"] == "耳机音箱")

    saved = await desk.do(
        "StaffClaimPolicySave",
        categoryId=audio["category"]["id"],
        windows=[{"reason": "QUALITY_FAULT", "days": 730}],
        version=audio["version"],
    )

    assert audio["windows"] == [{"reason": "QUALITY_FAULT", "days": 365}]
    assert (saved["claimPolicy"]["version"], saved["claimPolicy"]["windows"]) == (
        audio["version"] + 1,
        [{"reason": "QUALITY_FAULT", "days": 730}],
    )


async def test_what_is_needed_is_archived_and_listed_again(sign_in: SignIn) -> None:
    desk, support = await sign_in("staff", "manager"), await sign_in("staff", "support")
    categories = (await desk.read("StaffCatalogueChoices"))["categories"]
    cards = next(each for each in categories if each["slug"] == "gift-cards")
    article = (await support.read("StaffArticles", query="退货", status="PUBLISHED", first=1))["articles"]
    shenzhen = (await desk.read("StaffWarehouses"))["warehouses"][1]

    category = await desk.do("StaffCategoryRemove", id=cards["id"])
    restored = await desk.do("StaffCategoryRestore", id=cards["id"])
    archived = await support.do("StaffArticleRemove", id=article["nodes"][0]["id"])
    listed = await support.do("StaffArticleRestore", id=article["nodes"][0]["id"])
    kept = await desk.refused("StaffWarehouseRemove", id=shenzhen["id"])
    not_archived = await desk.refused("StaffWarehouseRestore", id=shenzhen["id"])

    assert (category["outcome"], restored["category"]["archivedAt"]) == ("ARCHIVED", None)
    assert (archived["outcome"], listed["article"]["archivedAt"]) == ("ARCHIVED", None)
    assert (kept, not_archived) == (["WRONG_STATE"], ["WRONG_STATE"])
