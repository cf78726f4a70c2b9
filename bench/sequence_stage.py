"""One shop for many sequences of steps, driven step by step from code that does not wait itself."""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import uvloop
from sqlalchemy import ColumnElement, func, select

from app import create_app
from bench.replay import SETTINGS, STARTED_AT, Jobs, furnish
from bench.replay_orders import Life, MovedClock, ReplayedShop
from models import (
    CurrencyCode,
    DeliveryLine,
    Order,
    OrderStatus,
    Payment,
    PaymentMethod,
    PaymentStatus,
    Refund,
    RefundStatus,
    RefundTarget,
    ReturnCondition,
    ReturnInspection,
    Role,
    SandboxCharge,
    Shipment,
    ShipmentEnding,
    ShipmentLine,
    ShipmentStatus,
    StockLevel,
    Ticket,
    TicketStatus,
)
from settings import Settings
from tests.clients import Client, Clients
from tests.factories.token import sign_in_account
from tests.observe import find_disagreements, select_broken_rules

Result = TypeVar("Result")

BONUS_CAP = 700
"""What is added at most for an order, in cents: less than a tenth of what many refunds are."""
BONUS = {"refund_bonus_basis_points": 333, "refund_bonus_caps": {CurrencyCode.CNY: BONUS_CAP}}

PAID = (PaymentStatus.CAPTURED,)
NOT_REFUNDED = (RefundStatus.DECLINED,)


def is_refused(ticket_id: int) -> tuple[ColumnElement[bool], ...]:
    """Whether an inspection says of goods of the shop that they are refused."""
    goods = (ReturnCondition.DAMAGED, ReturnCondition.INCOMPLETE)
    return (
        ReturnInspection.ticket_id == ticket_id,
        ReturnInspection.current.is_(True),
        ReturnInspection.accepted.is_(False),
        ReturnInspection.condition.in_(goods),
    )


@dataclass(slots=True)
class SequenceStage:
    """A shop with its own event loop, which runs only while a step is taken."""

    loop: asyncio.AbstractEventLoop
    shop: ReplayedShop
    jobs: Jobs
    second: Client
    """Somebody else of the staff, who approves refunds."""
    numbers: Iterator[int] = field(default_factory=count)
    taken: Counter[str] = field(default_factory=Counter)
    """How often each step has succeeded."""
    refused: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    """Orders by the status in which they have ended."""

    @property
    def now(self) -> datetime:
        return self.shop.clock()

    def run(self, step: Coroutine[Any, Any, Result]) -> Result:
        return self.loop.run_until_complete(step)

    def create_life(self, seed: int) -> Life:
        """An order to be, whose people have just signed in: much time has passed since the last one."""
        life = Life(self.shop, next(self.numbers), "sequence", Random(seed))
        for client in (life.customer, self.shop.staff, self.second):
            self.run(self.sign_in(client))
        return life

    async def sign_in(self, client: Client) -> None:
        assert client.account is not None
        token = await sign_in_account(self.shop.clients.shop, client.account)
        client.headers["Authorization"] = f"Bearer {token}"

    def count_goods(self) -> int:
        """The units in all warehouses, also damaged ones, but those that came with a repair and were kept."""
        kept = self.read_number(select(func.sum(ReturnInspection.kept)))
        return self.read_number(select(func.sum(StockLevel.on_hand + StockLevel.damaged))) - kept

    def count_refused_goods(self, ticket_id: int) -> int:
        """The units of a ticket that were refused, are the shop's and lie at the warehouse: not those packed
        for their customer or lost, but those that came back."""
        goods = select(func.sum(ReturnInspection.quantity)).where(*is_refused(ticket_id))
        parcels = (
            select(ShipmentLine, Shipment)
            .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
            .join(ReturnInspection, ReturnInspection.delivery_line_id == ShipmentLine.delivery_line_id)
            .where(*is_refused(ticket_id))
        )
        sent = parcels.where(Shipment.ending.is_distinct_from(ShipmentEnding.SENT_AGAIN))
        found = func.sum(ShipmentLine.restocked + ShipmentLine.damaged)
        back = sent.where(Shipment.status == ShipmentStatus.RETURNED).with_only_columns(found)
        # What is sent again and not packed yet goes on its way.
        line_ids = select(ReturnInspection.delivery_line_id).where(*is_refused(ticket_id))
        once_more = (
            select(func.sum(DeliveryLine.quantity))
            .where(DeliveryLine.id.in_(line_ids), DeliveryLine.packed == 0)
            .where(DeliveryLine.id.in_(select(ShipmentLine.delivery_line_id)))
        )
        away = self.read_number(sent.with_only_columns(func.sum(ShipmentLine.quantity)))
        return self.read_number(goods) - away - self.read_number(once_more) + self.read_number(back)

    def count_money(self, number: str) -> tuple[int, int]:
        """What was captured for an order, and what of it was refunded or is to be, in minor units."""
        order = select(Order.id).where(Order.number == number).scalar_subquery()
        captured = select(func.sum(Payment.captured_amount)).where(Payment.order_id == order)
        refunded = select(func.sum(Refund.amount)).where(
            Refund.order_id == order, Refund.status.not_in(NOT_REFUNDED)
        )
        return self.read_number(captured), self.read_number(refunded)

    def count_money_at_provider(self, number: str) -> tuple[int, int]:
        """What the provider keeps of an order, and what the shop believes it does, in minor units.

        It also keeps what went into store credit instead.
        """
        order = select(Order.id).where(Order.number == number).scalar_subquery()
        kept = select(func.sum(SandboxCharge.amount - SandboxCharge.refunded_amount)).where(
            SandboxCharge.order_number == number, SandboxCharge.status.in_(PAID)
        )
        believed = select(func.sum(Payment.captured_amount - Payment.refunded_amount)).where(
            Payment.method == PaymentMethod.SANDBOX, Payment.order_id == order
        )
        credited = (
            select(func.sum(Refund.amount))
            .join(Payment, Payment.id == Refund.payment_id)
            .where(Payment.method == PaymentMethod.SANDBOX, Refund.order_id == order)
            .where(Refund.target == RefundTarget.STORE_CREDIT, Refund.status.not_in(NOT_REFUNDED))
        )
        return self.read_number(kept), self.read_number(believed) + self.read_number(credited)

    def count_bonuses(self, number: str) -> int:
        """What is added to refunds of an order that go into store credit, in minor units."""
        order = select(Order.id).where(Order.number == number).scalar_subquery()
        return self.read_number(select(func.sum(Refund.bonus_amount)).where(Refund.order_id == order))

    def find_broken_rules(self) -> list[str]:
        """The disagreements of the books; none when they agree."""
        return self.run(self.read_disagreements())

    async def read_disagreements(self) -> list[str]:
        database = self.shop.clients.shop.database
        async with database.reads() as session:
            if not (await session.scalars(select_broken_rules())).all():
                return []
        return await find_disagreements(database)

    def read_status(self, number: str) -> OrderStatus:
        return OrderStatus(self.read_one(select(Order.status).where(Order.number == number)))

    def read_tickets(self, number: str) -> list[tuple[TicketStatus, int]]:
        """The tickets of an order by their age: status and id."""
        return self.run(self.read_ticket_rows(number))

    async def read_ticket_rows(self, number: str) -> list[tuple[TicketStatus, int]]:
        chosen = select(Ticket.status, Ticket.id).join(Order, Order.id == Ticket.order_id)
        async with self.shop.clients.shop.database.reads() as session:
            rows = await session.execute(chosen.where(Order.number == number).order_by(Ticket.id))
            return [(row.status, row.id) for row in rows]

    def read_number(self, chosen: Any) -> int:
        return int(self.read_one(chosen) or 0)

    def read_one(self, chosen: Any) -> Any:
        return self.run(self.read_scalar(chosen))

    async def read_scalar(self, chosen: Any) -> Any:
        async with self.shop.clients.shop.database.reads() as session:
            return await session.scalar(chosen)


@contextmanager
def open_stage(url: str, folder: Path) -> Iterator[SequenceStage]:
    """A furnished shop in a migrated database without orders."""
    loop = uvloop.new_event_loop()
    opened: asyncio.Future[SequenceStage] = loop.create_future()
    over = asyncio.Event()
    serving = loop.create_task(serve(url, folder, loop, opened, over))
    try:
        serving.add_done_callback(lambda _: opened.cancel())
        yield loop.run_until_complete(opened)
    finally:
        over.set()
        loop.run_until_complete(serving)
        loop.close()


async def serve(
    url: str,
    folder: Path,
    loop: asyncio.AbstractEventLoop,
    opened: "asyncio.Future[SequenceStage]",
    over: asyncio.Event,
) -> None:
    clock = MovedClock(STARTED_AT)
    settings = Settings.from_environment(
        env_file=None, database_url=url, var_dir=str(folder), **(SETTINGS | BONUS)
    )
    app = create_app(settings, clock=clock)
    async with app.router.lifespan_context(app), Clients.open(app) as clients:
        shop = await furnish(clients, clock)
        second = await clients.staff(Role.MANAGER)
        opened.set_result(SequenceStage(loop, shop, await Jobs.of(clients.shop), second))
        await over.wait()
