"""Every connection is read from both ends (https://relay.dev/graphql/connections.htm)."""

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLObjectType, GraphQLOutputType, get_named_type, is_required_argument
from sqlalchemy import select

from app import create_app
from domain.shipment.unhandled import Unhandled, count_unhandled
from models import (
    CarrierChoice,
    CarrierConnection,
    CashHandIn,
    CurrencyCode,
    DeliveryRun,
    DifferenceKind,
    OrderStatus,
    PaymentMethod,
    Role,
    Shipment,
    ShipmentTask,
    ShipmentTaskKind,
    StatementDifference,
    StatementForm,
    StatementKind,
    UnhandledKind,
    Waybill,
    WaybillStatus,
)
from schema import schema
from settings import Settings
from tests.clients import Client, Clients
from tests.conftest import settings_for
from tests.factories.catalog import create_product
from tests.factories.delivery_run import create_delivery_run
from tests.factories.dispute import create_dispute
from tests.factories.order import create_order, pack
from tests.factories.packing import create_wave
from tests.factories.store_credit import give_credit
from tests.factories.vehicle import create_vehicle

SCHEMA = schema._schema
ARGUMENTS = ["first", "after", "last", "before"]
PAGES, PAGES_LIMIT = 3, 20
"""Into so many pages a list is divided, if a page may be that long."""

NOW = datetime.now(UTC) + timedelta(days=100)
"""Long after the demo shop was loaded: much of its stock is dead."""
GIVEN: Mapping[str, str] = {
    "productReport": f'from: "{NOW.date() - timedelta(days=200)}", to: "{NOW.date()}"',
}
"""The required arguments of the fields above connections."""

OF_CUSTOMERS = ("storeCreditMovements",)
"""What the staff do not have."""

FURTHER = {
    "products by relevance": ["products", 'query: "茶"'],
    "products by relevance of most words": ["products", 'query: "茶 绿 不存在"'],
    "products by price": ["products", "sort: PRICE_DESC"],
    "products by sales": ["products", "sort: BEST_SELLING"],
    "articles by relevance": ["articles", 'query: "退款"'],
    "orders by age": ["orders", "sort: OLDEST"],
}
"""Lists in other orders: the field and its arguments."""


def is_connection(kind: GraphQLOutputType) -> bool:
    named = get_named_type(kind)
    return isinstance(named, GraphQLObjectType) and named.name.endswith("Connection")


def find_connections(parent: GraphQLObjectType, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of each connection below a type, each step with its arguments."""
    for name, field in parent.fields.items():
        kind = get_named_type(field.type)
        if is_connection(field.type):
            yield (*above, name)
        elif (
            isinstance(kind, GraphQLObjectType)
            and not above
            and (name in GIVEN or not any(map(is_required_argument, field.args.values())))
        ):
            yield from find_connections(kind, (name,))


assert SCHEMA.query_type
PATHS = list(find_connections(SCHEMA.query_type))


def write_page(path: tuple[str, ...], given: str, page: str) -> str:
    """A document for one page of the connection at the end of a path."""
    text = "edges { cursor } totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
    for place, name in reversed(list(enumerate(path))):
        own = [GIVEN.get(name, ""), *([given, page] if place == len(path) - 1 else [])]
        arguments = ", ".join(filter(None, own))
        text = f"{name}({arguments}) {{ {text} }}" if arguments else f"{name} {{ {text} }}"
    return f"{{ {text} }}"


async def read_page(client: Client, path: tuple[str, ...], given: str, page: str) -> dict[str, Any]:
    found = await client.get(write_page(path, given, page))
    for name in path:
        found = found[name]
    return found


async def walk(client: Client, path: tuple[str, ...], given: str, number: str, cursor: str) -> list[Any]:
    """All pages from one end, with `first` and `after` or with `last` and `before`."""
    pages, page = [], number
    key, flag = ("endCursor", "hasNextPage") if cursor == "after" else ("startCursor", "hasPreviousPage")
    while True:
        found = await read_page(client, path, given, page)
        pages.append(found)
        if not found["pageInfo"][flag] or len(pages) > PAGES_LIMIT:
            return pages
        page = f'{number}, {cursor}: "{found["pageInfo"][key]}"'


async def find_problem(client: Client, path: tuple[str, ...], given: str) -> str:
    """What is wrong with a connection; "" when it is the same from both ends."""
    total = (await read_page(client, path, given, "first: 1"))["totalCount"]
    if total < 2:
        return f"the demo shop has {total} rows"
    size = min(-(-total // PAGES), 100)
    forward = await walk(client, path, given, f"first: {size}", "after")
    backward = await walk(client, path, given, f"last: {size}", "before")
    rows = [edge["cursor"] for page in forward for edge in page["edges"]]
    reversed_rows = [edge["cursor"] for page in reversed(backward) for edge in page["edges"]]
    before = [page["pageInfo"]["hasPreviousPage"] for page in forward]
    behind = [page["pageInfo"]["hasNextPage"] for page in backward]
    if len(rows) != total or len(set(rows)) != total or any(not page["edges"] for page in forward):
        return f"{len(rows)} rows forward, not {total}"
    if rows != reversed_rows:
        return "other rows backward"
    if before != [False, *([True] * (len(forward) - 1))] or behind != [
        False,
        *([True] * (len(backward) - 1)),
    ]:
        return "wrong about what is on the other side"
    between = await read_page(client, path, given, f'last: 100, after: "{rows[0]}", before: "{rows[-1]}"')
    if [edge["cursor"] for edge in between["edges"]] != rows[1:-1][-100:]:
        return "other rows between two cursors"
    return ""


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    name = "demo_sqlite_url" if request.param == "sqlite" else "demo_postgres_url"
    return settings_for(request.getfixturevalue(name), tmp_path, default_language="zh-CN")


@pytest.fixture
async def clients(settings: Settings) -> AsyncIterator[Clients]:
    """The demo shop, with two of everything that it has once or not at all."""
    app = create_app(settings, clock=lambda: NOW)
    async with app.router.lifespan_context(app), Clients.open(app) as clients:
        async with clients.shop.database.writes.begin() as session:
            await create_product(session, now=NOW)
            for _ in range(2):
                order = await create_order(session, status=OrderStatus.CONFIRMED, now=NOW)
                run = await create_delivery_run(session, await pack(session, order, now=NOW), now=NOW)
                session.add_all([create_difference(str(order.id)), create_hand_in(run)])
                await create_dispute(session, order, f"dp_{order.id}")
                await create_vehicle(session, run.warehouse_id)
                await create_wave(session, await create_order(session, status=OrderStatus.CONFIRMED, now=NOW))
            for shipment in await session.scalars(select(Shipment).order_by(Shipment.id).limit(2)):
                session.add(
                    ShipmentTask(
                        shipment_id=shipment.id, kind=ShipmentTaskKind.LATE, due_at=NOW, opened_at=NOW
                    )
                )
                session.add(create_refused_waybill(shipment))
            reports = [Unhandled(UnhandledKind.UNKNOWN_CODE, code) for code in ("8016", "9999")]
            await count_unhandled(
                session, {(CarrierConnection.SF_EXPRESS, each): 1 for each in reports}, now=NOW
            )
        yield clients


def create_refused_waybill(shipment: Shipment) -> Waybill:
    """A waybill of a parcel that was unpacked, which its carrier does not cancel."""
    return Waybill(
        unpacked_id=shipment.id,
        carrier="SF",
        reference=f"refused {shipment.id}",
        choice=CarrierChoice.STAFF,
        status=WaybillStatus.CANCEL_REFUSED,
        number=f"SF{shipment.id}",
        children=[],
        requested_at=NOW,
        calls=0,
    )


def create_hand_in(run: DeliveryRun) -> CashHandIn:
    """More was counted than the courier of a run was to have."""
    return CashHandIn(
        delivery_run_id=run.id,
        currency=CurrencyCode.CNY,
        expected_amount=0,
        counted_amount=100,
        reason="Tips.",
        received_at=NOW,
    )


def create_difference(key: str) -> StatementDifference:
    """A difference between a statement and the books."""
    return StatementDifference(
        method=PaymentMethod.CARD,
        form=next(iter(StatementForm)),
        subject=StatementKind.PAYMENT,
        kind=next(iter(DifferenceKind)),
        reference=key,
        expected="",
        found="1.00 CNY",
        happened_at=NOW,
        key=key,
        created_at=NOW,
        seen_at=NOW,
        note="",
    )


@pytest.fixture
async def saver(clients: Clients) -> Client:
    """A customer with store credit from two gift cards."""
    customer = await clients.customer()
    assert customer.account
    async with clients.shop.database.writes.begin() as session:
        for _ in range(2):
            await give_credit(session, customer.account, 100)
    return customer


def test_every_connection_has_the_four_arguments_of_relay_and_a_path_from_the_root() -> None:
    declared = {
        f"{kind.name}.{name}": [argument for argument in field.args if argument in ARGUMENTS]
        for kind in SCHEMA.type_map.values()
        if isinstance(kind, GraphQLObjectType)
        for name, field in kind.fields.items()
        if is_connection(field.type)
    }

    assert declared == dict.fromkeys(declared, ARGUMENTS)
    assert len(PATHS) == len(declared)


async def test_every_connection_has_the_same_rows_forward_and_backward(
    clients: Clients, saver: Client
) -> None:
    admin = await clients.staff(Role.ADMIN)
    await admin.get("{ customers(first: 10) { nodes { email } } }")  # which is noted, and can be read in turn
    asked = {".".join(path): (path, "") for path in PATHS}
    asked |= {name: ((field,), given) for name, (field, given) in FURTHER.items()}

    problems = {
        name: await find_problem(saver if path == OF_CUSTOMERS else admin, path, given)
        for name, (path, given) in asked.items()
    }

    assert problems == dict.fromkeys(asked, "")


WRONG_PAGES = {
    "last: 0": "last",
    "last: 101": "last",
    "first: 101": "first",
    "first: 1, last: 1": "last",
    'last: 1, before: "?"': "before",
    'first: 1, after: "?"': "after",
}


async def test_a_page_takes_one_to_a_hundred_rows_from_one_end(clients: Clients) -> None:
    admin = await clients.staff(Role.ADMIN)
    for path in (("products",), ("catalogQuality", "issues")):
        for page, field in WRONG_PAGES.items():
            reply = await admin.ask(write_page(path, "", page))

            assert reply["errors"][0]["extensions"] == {"code": "INVALID", "field": [field]}, (path, page)


async def test_without_a_number_a_page_has_twenty_rows(clients: Clients) -> None:
    for page in ("", "first: null, last: null", "first: 20"):
        found = await read_page(clients.guest(), ("products",), "", page)

        assert len(found["edges"]) == 20, page
        assert (found["pageInfo"]["hasPreviousPage"], found["pageInfo"]["hasNextPage"]) == (False, True)


async def test_a_cursor_alone_reads_the_rows_beside_it(clients: Clients) -> None:
    guest = clients.guest()
    rows = [edge["cursor"] for edge in (await read_page(guest, ("products",), "", "first: 60"))["edges"]]

    behind = await read_page(guest, ("products",), "", f'after: "{rows[19]}"')
    before = await read_page(guest, ("products",), "", f'before: "{rows[40]}"')

    assert [edge["cursor"] for edge in behind["edges"]] == rows[20:40]
    assert [edge["cursor"] for edge in before["edges"]] == rows[20:40]


async def test_a_cursor_of_another_search_is_refused(clients: Clients) -> None:
    found = await read_page(clients.guest(), ("products",), 'query: "茶"', "first: 1")
    cursor = found["pageInfo"]["endCursor"]

    reply = await clients.guest().ask(
        write_page(("products",), 'query: "杯"', f'last: 2, before: "{cursor}"')
    )

    assert reply["errors"][0]["extensions"] == {"code": "INVALID", "field": ["before"]}
