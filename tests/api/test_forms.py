"""A form that is wrong in several fields is told all of them at once, in the order of its fields."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import Base, Order, OrderStatus, Role
from resolvers.ids import global_id
from tests.api.order.documents import ADDRESS, PLACE, create_order_now, create_variant
from tests.clients import Client, Clients
from tests.factories.aftersales import order_lines_of
from tests.factories.order import dispatch
from tests.factories.shipment import delivery_of
from tests.given import cny, id_of, refusals


async def submit(client: Client, name: str, /, **terms: Any) -> list[tuple[str, str]]:
    """Code and path of each refusal of a mutation."""
    kind = f"{name[0].upper()}{name[1:]}Input"
    document = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ userErrors {{ code field }} }} }}"
    return refusals(await client.do(document, **terms))


async def count_all_rows(session: AsyncSession) -> dict[str, int]:
    """The number of rows of each table."""
    rows = {
        table.name: await session.scalar(select(func.count()).select_from(table)) or 0
        for table in Base.metadata.sorted_tables
    }
    await session.commit()
    return rows


async def test_a_registration(clients: Clients) -> None:
    found = await submit(clients.guest(), "accountRegister", name=" ", password="short", email="nobody")

    assert found == [("INVALID", "name"), ("INVALID", "password"), ("INVALID", "email")]


async def test_a_new_member_of_staff(clients: Clients) -> None:
    admin = await clients.staff(Role.ADMIN)
    terms = {"role": "SUPPORT", "name": " ", "password": "long enough", "email": "x", "phone": "1"}

    found = await submit(admin, "staffCreate", **terms)

    assert found == [("INVALID", "name"), ("INVALID", "email"), ("INVALID", "phone")]


async def test_an_address(clients: Clients) -> None:
    customer = await clients.customer()

    at_home = await submit(
        customer,
        "addressSave",
        address={"recipient": "", "phone": "1", "city": "", "line1": "", "postalCode": "1"},
    )
    nowhere = await submit(customer, "addressSave", address=ADDRESS | {"recipient": "", "countryCode": "XX"})

    assert at_home == [
        ("INVALID", f"address.{name}")
        for name in ("recipient", "phone", "province", "city", "line1", "postalCode")
    ]
    assert nowhere == [("INVALID", "address.recipient"), ("INVALID", "address.countryCode")]


async def test_an_order(clients: Clients, shop: Shop, session: AsyncSession) -> None:
    customer = await clients.customer()
    tea, cup = await create_variant(shop, stock={"MAIN": 1}), await create_variant(shop, stock={"MAIN": 0})
    lines = [{"variantId": id_of(tea), "quantity": 2}, {"variantId": id_of(cup), "quantity": 1}]
    before = await count_all_rows(session)

    payload = await customer.do(
        PLACE,
        deliveries=[{"address": {"postal": ADDRESS | {"phone": "1", "city": ""}}}],
        payments=[
            {"method": "ALIPAY", "amount": cny("0")},
            {"method": "SANDBOX", "amount": {"amount": "1", "currencyCode": "USD"}},
        ],
        idempotencyKey="k",
        lines=lines,
        couponCodes=["NOTHING"],
        note="x" * 501,
    )

    assert refusals(payload) == [
        ("INVALID", "payments.0.method"),
        ("INVALID", "payments.0.amount"),
        ("INVALID", "payments.1.amount"),
        ("INVALID", "deliveries.0.address.postal.phone"),
        ("INVALID", "deliveries.0.address.postal.city"),
        ("OUT_OF_STOCK", "lines.0.quantity"),
        ("OUT_OF_STOCK", "lines.1.quantity"),
        ("COUPON_REFUSED", "couponCodes.0"),
        ("INVALID", "note"),
    ]
    assert await count_all_rows(session) == before


async def test_the_values_of_an_order_that_cannot_be_read(clients: Clients, shop: Shop) -> None:
    tea = await create_variant(shop)
    payload = await (await clients.customer()).do(
        PLACE,
        deliveries=[{"address": {"id": "?"}}],
        payments=[{"method": "SANDBOX", "amount": cny("0.001")}] * 2,
        idempotencyKey="k",
        lines=[{"variantId": "?", "quantity": 1}, {"variantId": id_of(tea), "quantity": 1}],
    )

    assert refusals(payload) == [
        ("INVALID", "payments.0.amount"),
        ("INVALID", "payments.1.amount"),
        ("NOT_FOUND", "deliveries.0.address.id"),
        ("NOT_FOUND", "lines.0.variantId"),
    ]


async def test_a_product(clients: Clients, shop: Shop, session: AsyncSession) -> None:
    clerk, tea = await clients.staff(Role.CATALOGUE), await create_variant(shop, sku="TEA-1")
    before = await count_all_rows(session)

    found = await submit(
        clerk,
        "productCreate",
        title=" ",
        slug="No Slug",
        tags=["tea", " "],
        translations=[{"language": "no tag", "title": "x" * 300}],
        attributes=[{"code": "unknown", "values": ["1"]}],
        pictures=[{"url": "nowhere", "alt": "x" * 6_000}],
        variants=[
            {"options": [{"name": "Size", "value": " "}], "sku": "S", "weightGrams": -1},
            {"options": [{"name": "Size", "value": "M"}], "sku": tea.sku},
        ],
    )

    assert found == [
        ("INVALID", "title"),
        ("INVALID", "slug"),
        ("INVALID", "tags.1"),
        ("INVALID", "translations.0.language"),
        ("INVALID", "translations.0.title"),
        ("NOT_FOUND", "attributes"),
        ("INVALID", "pictures.0.url"),
        ("INVALID", "pictures.0.alt"),
        ("INVALID", "variants.0.options.0.value"),
        ("INVALID", "variants.0.weightGrams"),
        ("TAKEN", "variants.1.sku"),
    ]
    assert await count_all_rows(session) == before


async def test_an_article(clients: Clients) -> None:
    support = await clients.staff(Role.SUPPORT)

    found = await submit(
        support, "articleSave", slug="No", language="?", category=" ", title=" ", body="", tags=[" "]
    )

    names = {"slug", "language", "category", "title", "body", "tags"}
    assert (len(found), {field for _, field in found}) == (6, names)


async def test_a_promotion(clients: Clients) -> None:
    manager = await clients.staff(Role.MANAGER)

    found = await submit(
        manager,
        "promotionSave",
        title=" ",
        kind="PERCENT",
        code="a",
        percent=101,
        buy=1,
        minimumQuantity=-1,
        usageLimit=0,
        priority=10_000,
        exclusionGroups=[""],
        startsAt="2026-11-12T00:00:00Z",
        endsAt="2026-11-12T00:00:00Z",
    )

    fields = ["title", "code", "percent", "buy", "minimumQuantity", "endsAt", "usageLimit", "priority"]
    assert found == [("INVALID", field) for field in [*fields, "exclusionGroups.0"]]


async def test_parcels(clients: Clients, shop: Shop, session: AsyncSession) -> None:
    order = await create_order_now(shop, status=OrderStatus.CONFIRMED)
    delivery = await delivery_of(session, order)
    await session.commit()
    line = {"deliveryLineId": "?", "quantity": 1}

    unread = await submit(
        await clients.staff(Role.WAREHOUSE),
        "shipmentPack",
        deliveryId=id_of(delivery),
        parcels=[{"lines": [line, line]}],
    )
    wrong = await submit(
        await clients.staff(Role.WAREHOUSE),
        "shipmentPack",
        deliveryId=id_of(delivery),
        parcels=[
            {"lines": [], "weightGrams": 0},
            {"lines": [], "size": {"lengthMm": 0, "widthMm": 1, "heightMm": 1}},
        ],
    )

    assert unread == [("NOT_FOUND", f"parcels.0.lines.{place}.deliveryLineId") for place in (0, 1)]
    assert wrong == [
        ("INVALID", "parcels.0.lines"),
        ("INVALID", "parcels.0.weightGrams"),
        ("INVALID", "parcels.1.lines"),
        ("INVALID", "parcels.1.size"),
    ]


async def test_a_warehouse(clients: Clients) -> None:
    found = await submit(
        await clients.staff(Role.MANAGER),
        "warehouseSave",
        code=" ",
        name="x" * 201,
        countryCode="XX",
        city="",
        latitude=91.0,
        longitude=0.0,
    )

    invalid = {("INVALID", name) for name in ("code", "name", "countryCode", "city")}
    assert set(found) == invalid | {("IMPOSSIBLE_COORDINATES", "latitude")}


async def test_a_shipping_zone(clients: Clients) -> None:
    found = await submit(
        await clients.staff(Role.MANAGER),
        "shippingZoneSave",
        name=" ",
        regions=[{"countryCode": "XX"}, {"province": "浙江省"}],
        rates=[{"method": "STANDARD", "first": "-1", "further": "1", "firstGrams": 0}],
    )

    assert found == [
        ("INVALID", "name"),
        ("INVALID", "regions.0.countryCode"),
        ("INVALID", "regions.1.countryCode"),
        ("INVALID", "rates.0.firstGrams"),
        ("INVALID", "rates.0.first"),
    ]


async def test_a_category(clients: Clients) -> None:
    clerk = await clients.staff(Role.CATALOGUE)

    found = await submit(
        clerk,
        "categorySave",
        name=" ",
        slug="No Slug",
        parentId=global_id("Category", 999),
        position=-1,
        attributes=[{"attributeId": global_id("Attribute", number)} for number in (998, 999)],
    )

    assert found == [
        ("INVALID", "name"),
        ("INVALID", "slug"),
        ("NOT_FOUND", "parentId"),
        ("INVALID", "position"),
        ("NOT_FOUND", "attributes.0.attributeId"),
        ("NOT_FOUND", "attributes.1.attributeId"),
    ]


async def test_an_attribute(clients: Clients) -> None:
    clerk = await clients.staff(Role.CATALOGUE)

    found = await submit(
        clerk,
        "attributeSave",
        code="no code",
        name="",
        type="ENUM",
        unit="5 cm",
        values=[{"code": "a b", "name": ""}, {"code": "c", "name": "C"}, {"code": "c", "name": "D"}],
    )

    assert found == [
        ("INVALID", "code"),
        ("INVALID", "name"),
        ("INVALID", "unit"),
        ("INVALID", "values.0.code"),
        ("INVALID", "values.0.name"),
        ("TAKEN", "values.2.code"),
    ]


async def test_a_ticket(clients: Clients, shop: Shop, session: AsyncSession) -> None:
    customer = await clients.customer()
    order = await create_order_now(shop, account=customer.account, status=OrderStatus.CONFIRMED)
    [line] = await order_lines_of(session, order)
    await session.commit()
    ticket = {"orderId": id_of(order), "type": "RETURN_REFUND", "reason": "QUALITY_FAULT"}
    before = await count_all_rows(session)

    unread = await submit(
        customer,
        "ticketOpen",
        **ticket,
        lines=[{"orderLineId": "?", "quantity": 1, "shipmentId": "?"}],
        mediaIds=["?"],
        description="",
        idempotencyKey="k",
    )
    wrong = await submit(
        customer,
        "ticketOpen",
        **ticket,
        lines=[{"orderLineId": id_of(line), "quantity": 1}],
        mediaIds=[global_id("Media", 999)],
        description=" ",
        idempotencyKey="k",
    )

    assert unread == [
        ("INVALID", "description"),
        ("NOT_FOUND", "lines.0.orderLineId"),
        ("NOT_FOUND", "lines.0.shipmentId"),
        ("NOT_FOUND", "mediaIds.0"),
    ]
    assert {field for _, field in wrong} == {"lines.0.quantity", "description", "mediaIds.0"}
    assert await count_all_rows(session) == before


async def test_an_edit_of_an_order(clients: Clients, shop: Shop, session: AsyncSession) -> None:
    customer = await clients.customer()
    order = await create_order_now(shop, account=customer.account)
    [line] = await order_lines_of(session, order)
    delivery = await delivery_of(session, order)
    await session.commit()
    tea = await create_variant(shop, stock={"MAIN": 1})
    address = {"postal": ADDRESS | {"phone": "1", "city": ""}}
    terms = {"id": id_of(order), "expectedTotal": cny("1.00"), "idempotencyKey": "k"}

    unread = await submit(
        customer,
        "orderEdit",
        **terms | {"expectedTotal": cny("0.001")},
        changes={
            "lines": [{"orderLineId": "?", "quantity": 1}],
            "additions": [{"variantId": "?", "quantity": 1}],
            "addresses": [{"deliveryId": "?", "address": address}],
        },
    )
    wrong = await submit(
        customer,
        "orderEdit",
        **terms,
        changes={
            "lines": [{"orderLineId": id_of(line), "quantity": -1}],
            "additions": [
                {"variantId": id_of(tea), "quantity": 2},
                {"variantId": global_id("Variant", 999), "quantity": 1},
                {"variantId": id_of(tea), "quantity": 0},
            ],
            "addresses": [{"deliveryId": id_of(delivery), "address": address}],
        },
    )

    assert unread == [
        ("NOT_FOUND", "changes.lines.0.orderLineId"),
        ("NOT_FOUND", "changes.additions.0.variantId"),
        ("NOT_FOUND", "changes.addresses.0.deliveryId"),
        ("INVALID", "expectedTotal"),
    ]
    assert sorted(wrong) == sorted(
        [
            ("INVALID", "changes.lines.0.quantity"),
            ("OUT_OF_STOCK", "changes.additions.0.variantId"),
            ("NOT_FOUND", "changes.additions.1.variantId"),
            ("INVALID", "changes.additions.2.quantity"),
            ("INVALID", "changes.addresses.0.address.postal.phone"),
            ("INVALID", "changes.addresses.0.address.postal.city"),
        ]
    )


async def test_an_edit_of_lines_and_coupons(clients: Clients, shop: Shop, session: AsyncSession) -> None:
    """What is another's is refused as what there is not."""
    customer = await clients.customer()
    order = await create_order_now(shop, account=customer.account)
    other = await create_order_now(shop)
    [foreign] = await order_lines_of(session, other)
    await session.commit()
    before = await count_all_rows(session)

    wrong = await submit(
        customer,
        "orderEdit",
        id=id_of(order),
        expectedTotal=cny("1.00"),
        idempotencyKey="",
        changes={
            "lines": [
                {"orderLineId": id_of(foreign), "quantity": -1},
                {"orderLineId": global_id("OrderLine", 999), "quantity": 1, "variantId": "?"},
            ],
            "additions": [{"variantId": global_id("Variant", 999), "quantity": 0}],
            "addCouponCodes": ["NOBODY", "NOTHING"],
            "removeCouponCodes": ["NEVER"],
        },
    )

    assert sorted(wrong) == sorted(
        [
            ("INVALID", "idempotencyKey"),
            ("NOT_FOUND", "changes.lines.0.orderLineId"),
            ("INVALID", "changes.lines.0.quantity"),
            ("NOT_FOUND", "changes.lines.1.orderLineId"),
            ("NOT_FOUND", "changes.lines.1.variantId"),
            ("NOT_FOUND", "changes.additions.0.variantId"),
            ("INVALID", "changes.additions.0.quantity"),
            ("COUPON_REFUSED", "changes.addCouponCodes.0"),
            ("COUPON_REFUSED", "changes.addCouponCodes.1"),
            ("COUPON_REFUSED", "changes.removeCouponCodes.0"),
        ]
    )
    assert await count_all_rows(session) == before


async def test_a_cancellation_of_lines(clients: Clients, shop: Shop, session: AsyncSession) -> None:
    customer = await clients.customer()
    order = await create_order_now(shop, account=customer.account)
    other = await create_order_now(shop)
    [line] = await order_lines_of(session, order)
    [foreign] = await order_lines_of(session, other)
    await session.commit()
    before = await count_all_rows(session)

    wrong = await submit(
        customer,
        "orderLinesCancel",
        id=id_of(order),
        lines=[
            {"orderLineId": id_of(line), "quantity": 7},
            {"orderLineId": id_of(foreign), "quantity": 0},
            {"orderLineId": id_of(line), "quantity": 1},
        ],
        reason=" ",
        idempotencyKey="",
    )

    assert sorted(wrong) == sorted(
        [
            ("INVALID", "idempotencyKey"),
            ("INVALID", "reason"),
            ("NOT_ELIGIBLE", "lines.0.quantity"),
            ("NOT_FOUND", "lines.1.orderLineId"),
            ("INVALID", "lines.1.quantity"),
            ("INVALID", "lines.2.orderLineId"),
        ]
    )
    assert await count_all_rows(session) == before


async def test_a_ticket_for_a_wrong_reason(clients: Clients, shop: Shop, session: AsyncSession) -> None:
    customer = await clients.customer()
    order = await create_order_now(shop, account=customer.account, status=OrderStatus.CONFIRMED)
    other = await create_order_now(shop)
    [line] = await order_lines_of(session, order)
    [foreign] = await order_lines_of(session, other)
    await session.commit()
    before = await count_all_rows(session)

    wrong = await submit(
        customer,
        "ticketOpen",
        orderId=id_of(order),
        type="EXCHANGE",
        reason="NOT_RECEIVED",
        lines=[
            {"orderLineId": id_of(line), "quantity": 0},
            {"orderLineId": id_of(foreign), "quantity": 1},
        ],
        description=" ",
        idempotencyKey="",
    )

    assert sorted(wrong) == sorted(
        [
            ("INVALID", "idempotencyKey"),
            ("NOT_ELIGIBLE", "reason"),
            ("INVALID", "lines.0.quantity"),
            ("NOT_FOUND", "lines.1.orderLineId"),
            ("INVALID", "description"),
        ]
    )
    assert await count_all_rows(session) == before


async def test_a_refund(clients: Clients, shop: Shop) -> None:
    order = await create_order_now(shop, status=OrderStatus.CONFIRMED)
    manager = await clients.staff(Role.MANAGER)
    terms = {"amount": cny("-1.00"), "reason": " ", "idempotencyKey": ""}

    wrong = await submit(manager, "paymentRefund", orderId=id_of(order), **terms)
    unknown = await submit(manager, "paymentRefund", orderId="?", **terms)

    assert sorted(wrong) == sorted(
        [("INVALID", "idempotencyKey"), ("INVALID", "reason"), ("INVALID", "amount")]
    )
    assert sorted(unknown) == sorted(
        [("INVALID", "idempotencyKey"), ("INVALID", "reason"), ("NOT_FOUND", "orderId")]
    )


async def test_a_change_of_stock(clients: Clients, shop: Shop, session: AsyncSession) -> None:
    tea = await create_variant(shop, stock={"MAIN": 1})
    manager = await clients.staff(Role.MANAGER)
    nowhere = {"variantId": "?", "warehouseId": global_id("Warehouse", 999), "reason": " "}
    before = await count_all_rows(session)

    received = await submit(manager, "stockAdjust", **nowhere, kind="RECEIVED", quantity=0)
    transferred = await submit(
        manager,
        "stockAdjust",
        variantId=id_of(tea),
        warehouseId=global_id("Warehouse", 1),
        toWarehouseId=global_id("Warehouse", 1),
        kind="TRANSFERRED",
        quantity=-1,
        reason="",
    )

    assert sorted(received) == sorted(
        [
            ("INVALID", "reason"),
            ("INVALID", "quantity"),
            ("NOT_FOUND", "variantId"),
            ("NOT_FOUND", "warehouseId"),
        ]
    )
    assert sorted(transferred) == sorted(
        [("INVALID", "toWarehouseId"), ("INVALID", "quantity"), ("INVALID", "reason")]
    )
    assert await count_all_rows(session) == before


async def test_the_opening_hours_of_a_warehouse(clients: Clients) -> None:
    days = [("MONDAY", "9", "18:00"), ("FRIDAY", "09:00", "12:00"), ("FRIDAY", "11:00", "18:00")]
    days.append(("SUNDAY", "18:00", "09:00"))
    hours = [{"weekday": day, "opens": opens, "closes": closes} for day, opens, closes in days]

    found = await submit(
        await clients.staff(Role.MANAGER),
        "warehouseSave",
        code=" ",
        name="Shop",
        countryCode="DE",
        city="Berlin",
        pickupHours=hours,
        position=0,
    )

    assert sorted(found) == sorted(
        [
            ("INVALID", "code"),
            ("INVALID", "pickupHours.0"),
            ("INVALID", "pickupHours.3"),
            ("INVALID", "pickupHours.2"),
            ("INVALID", "position"),
        ]
    )


async def test_terms_of_claims(clients: Clients) -> None:
    manager = await clients.staff(Role.MANAGER)
    windows = [
        {"reason": reason, "days": days} for reason, days in (("NO_REASON", -1), ("QUALITY_FAULT", 9_999))
    ]

    wrong = await submit(manager, "claimPolicySave", windows=windows, categoryId="?", productId="?")
    twice = await submit(manager, "claimPolicySave", windows=[windows[0], windows[0]], categoryId="?")

    assert sorted(wrong) == sorted(
        [
            ("INVALID", "windows.0.days"),
            ("INVALID", "windows.1.days"),
            ("INVALID", "productId"),
            ("NOT_FOUND", "categoryId"),
            ("NOT_FOUND", "productId"),
        ]
    )
    assert sorted(twice) == sorted(
        [
            ("INVALID", "windows.1.reason"),
            ("INVALID", "windows.0.days"),
            ("INVALID", "windows.1.days"),
        ]
    )


async def test_a_tracking_event(clients: Clients, shop: Shop, session: AsyncSession) -> None:
    order = await create_order_now(shop, status=OrderStatus.CONFIRMED)
    [parcel] = await dispatch(session, await session.get_one(Order, order.id))
    await session.commit()

    found = await submit(
        await clients.staff(Role.WAREHOUSE),
        "shipmentEventAdd",
        id=id_of(parcel),
        status="PENDING",
        description="",
        occurredAt="2000-01-01T00:00:00Z",
        location="x" * 2_000,
    )

    assert sorted(found) == sorted(
        [("INVALID", name) for name in ("status", "description", "occurredAt", "location")]
    )
