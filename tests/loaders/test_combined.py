"""What loaders ask for in the same turn is read with one statement, as each would have read it by itself."""

import asyncio
from typing import Any

from sqlalchemy import LargeBinary, cast, func, literal, literal_column, null, select

from events.shop import Shop
from loaders import Loaders
from models import Base, OrderLine, OrderStatus, Product, Ticket, TicketLine, Variant
from models.sql.combined import PartialSelect, PartRequest, fetch_parts
from models.sql.dialects import columns_of
from models.sql.prepared import PreparedSelect, driver_connection, fetch_rows
from models.sql.together import read_each, read_together
from models.sql.types import AnySelect
from tests.factories.aftersales import create_ticket
from tests.factories.catalog import create_product
from tests.factories.order import create_order
from tests.observe import count_statements


async def open_two_tickets(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        for _ in range(2):
            await create_ticket(session, order=await create_order(session, status=OrderStatus.COMPLETED))


async def test_each_part_has_the_rows_it_would_have_alone(shop: Shop) -> None:
    await open_two_tickets(shop)
    reads, dialect = shop.database.reads, shop.database.dialect
    models = [mapper.class_ for mapper in Base.registry.mappers]
    statements: list[AnySelect] = [
        select(*columns_of(model)).order_by(*model.__table__.primary_key.columns) for model in models
    ]
    statements += [
        select(OrderLine.order_id, func.sum(OrderLine.quantity)).group_by(OrderLine.order_id),
        select(Ticket.id).order_by(Ticket.id.desc()).limit(1),
    ]
    separate_rows = [await fetch_rows(reads, PreparedSelect(each, dialect)) for each in statements]
    with count_statements(shop) as counted:
        async with driver_connection(reads) as connection:
            parts: list[PartRequest] = [(PartialSelect(each, dialect), {}) for each in statements]
            together = await fetch_parts(connection, parts)

    def values(rows: Any, width: int | None) -> list[list[tuple[str, type]]]:
        return [[(repr(value), type(value)) for value in list(row)[:width]] for row in rows]

    sums = len(statements) - 2
    for number, (expected, found) in enumerate(zip(separate_rows, together, strict=True)):
        if number == sums:  # the driver gives a Decimal for a sum
            assert sorted(map(list, expected)) == sorted(list(row)[:-1] for row in found)
        else:
            assert values(found, -1) == values(expected, None)
    assert counted.total == 1
    assert len(separate_rows[-1]) == 1
    assert sum(bool(rows) for rows in separate_rows) > 20


async def test_what_is_asked_for_in_one_turn_is_one_statement(shop: Shop) -> None:
    await open_two_tickets(shop)
    single, combined = Loaders(shop.database.reads), Loaders(shop.database.reads)
    session = combined.combine_statements().session

    def ask(load: Loaders) -> list[Any]:
        return [load.ticket.load_many([1, 2, 3]), load.ticket_lines.load_many([2, 1]), load.order.load(2)]

    with count_statements(shop) as separate:
        first = await asyncio.gather(*ask(single))
    with count_statements(shop) as counted:
        second = await asyncio.gather(*ask(combined), session.scalar(select(func.count(TicketLine.quantity))))

    def show(found: list[Any]) -> list[list[Any]]:
        return [[columns_values(row) for row in rows] for rows in (found[0], *found[1], [found[2]])]

    assert show(first) == show(second[:3])
    assert second[3] == 2
    assert (separate.total, counted.total) == (3, 1)


def columns_values(row: Any) -> dict[str, Any] | None:
    return row and {column.key: getattr(row, column.key) for column in columns_of(type(row))}


async def test_reads_that_do_not_depend_on_each_other_are_one_statement_or_follow_each_other(
    shop: Shop,
) -> None:
    await open_two_tickets(shop)
    combined = Loaders(shop.database.reads).combine_statements().session
    found, counts = [], []
    async with shop.database.reads() as session:
        for each in (session, combined):
            with count_statements(shop) as counted:
                (tickets, lines), (one,) = await read_together(
                    each,
                    read_each(each, [each.scalar(select(func.count(Ticket.id))), count_lines(each)]),
                    read_each(each, [each.scalar(select(Variant.sku).order_by(Variant.id).limit(1))]),
                )
            found.append((tickets, lines, one))
            counts.append(counted.total)

    assert found[0] == found[1]
    assert counts == [3, 1]


async def count_lines(session: Any) -> int:
    rows = await session.execute(select(TicketLine, Ticket).join(Ticket, Ticket.id == TicketLine.ticket_id))
    return sum(line.quantity for line, ticket in rows if ticket.number)


async def test_a_failed_statement_fails_all_that_wait_for_it_and_not_the_next_one(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        await create_product(session, slug="tea")
    combined = Loaders(shop.database.reads)
    session = combined.combine_statements().session
    wrong = session.scalar(select(literal_column("no_such_column")).select_from(Product))

    failed = await asyncio.gather(wrong, combined.product.load(1), return_exceptions=True)

    assert [type(each).__name__ for each in failed] == [type(failed[0]).__name__] * 2
    assert isinstance(failed[0], Exception)
    assert await session.scalar(select(Product.slug)) == "tea"


async def test_bytes_come_back_as_they_are(shop: Shop) -> None:
    label = b"%PDF\x00\xff\n"
    columns = [
        cast(literal(each, LargeBinary), LargeBinary).label(f"c{at}") for at, each in ((0, label), (1, b""))
    ]
    part = PartialSelect(select(*columns, cast(null(), LargeBinary).label("none")), shop.database.dialect)

    async with driver_connection(shop.database.reads) as connection:
        (rows,) = await fetch_parts(connection, [(part, {})])

    assert [list(row)[:3] for row in rows] == [[label, b"", None]]
