"""The audit finds each kind of tampering with the books, and nothing in untouched ones."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import combinations_with_replacement, product
from typing import Any

import pytest
from sqlalchemy import ColumnElement, Insert, String, Update, cast, insert, literal, select, true, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.cancelling import cancel_lines
from domain.aftersales.day_counts import recount_days
from domain.aftersales.decisions import agree_ticket
from domain.aftersales.requests import choose_refund_target
from domain.aftersales.return_collection import add_collection, find_delivered_address
from domain.aftersales.return_parcel import lock_return
from domain.aftersales.return_tracking import add_return_events
from domain.aftersales.return_waybill import ReturnWaybill, ship_return
from domain.aftersales.rules import ClaimedUnits
from domain.aftersales.settlement import follow_refunds
from domain.audit import RULES, Disagreement, audit_books, find_disagreements, find_first_disagreement
from domain.audit.fulfilment import ParcelSums, fulfilment_expression
from domain.audit.pushes import FOLDED_WITHIN
from domain.audit.shipment_tasks import OPENED_WITHIN
from domain.cause import Cause
from domain.delivery_run import start_delivery_run
from domain.events import TicketReturnDelivered, TicketReturnTracked
from domain.knowledge import ArticleText, add_article, publish_article, rate_article, save_draft
from domain.knowledge.reading import ArticleReader, add_to_days, read_article
from domain.ledger import payment_status_expression, payment_status_for
from domain.order import confirm_receipt
from domain.payment import (
    accept_difference,
    collect_cash,
    correct_hand_in,
    hand_in_cash,
    pay_credit_refund,
    request_refund,
    settle_refund,
    write_off_cash,
)
from domain.payment.bonus import BonusTerms
from domain.shipment import ParcelToPack, pack_shipments
from domain.shipment.fulfilment import PackedParcel, fulfilment_of
from domain.shipment.history import TrackingFact
from domain.shipment.open_parcels import Scan, scan_into_parcel
from domain.shipment.waves import cancel_wave
from events.shop import Shop
from models import (
    SIMULATED_CARRIER,
    Account,
    AgreementRule,
    AgreementStep,
    Article,
    ArticleDay,
    ArticleRead,
    ArticleVersion,
    Backorder,
    CarrierChoice,
    CarrierConnection,
    CashHandIn,
    Certificate,
    CourierCashMovement,
    Course,
    CourseStatus,
    CurrencyCode,
    Delivery,
    DeliveryLine,
    DeliveryRun,
    DeliveryRunStop,
    Dispute,
    Event,
    FulfilmentStatus,
    GiftCard,
    GiftCardStatus,
    IncomingPush,
    LaneStatistic,
    LedgerAccount,
    LedgerEntry,
    Money,
    MovementKind,
    OpenParcel,
    OpenParcelLine,
    Order,
    OrderEdit,
    OrderEditStatus,
    OrderLine,
    OrderPaymentStatus,
    OrderStatus,
    Payment,
    PaymentMethod,
    Pickup,
    PickupStatus,
    Posting,
    PostingKind,
    Promotion,
    PromotionBuyer,
    PromotionUse,
    QuizAnswer,
    QuizAttempt,
    QuizAttemptStatus,
    QuizOption,
    QuizQuestion,
    Refund,
    RefundDay,
    RefundDimension,
    RefundStatus,
    RefundTarget,
    RepairOutcome,
    ReturnCollection,
    ReturnCondition,
    ReturnInspection,
    ReturnParcel,
    Role,
    RuleDecision,
    Shipment,
    ShipmentEnding,
    ShipmentLine,
    ShipmentStatus,
    ShipmentTask,
    ShipmentTaskKind,
    StockLevel,
    StockMovement,
    StopOutcome,
    StoreCredit,
    StoreCreditKind,
    StoreCreditMovement,
    Ticket,
    TicketDay,
    TicketDifference,
    TicketLine,
    TicketReason,
    TicketRepair,
    TicketStatus,
    TicketType,
    TicketUnits,
    TrackingEvent,
    Variant,
    Wave,
    WaveStatus,
    Waybill,
    WaybillStatus,
)
from models.sql.batches import in_batches
from models.sql.types import AnyAttribute
from tests.domain.test_dispute import disputed_order
from tests.factories.account import create_account
from tests.factories.aftersales import DEADLINES, create_rule, create_ticket, settle_refunds
from tests.factories.cart import create_coupon
from tests.factories.cash import CashRun, drive_cash_run, pack_order
from tests.factories.delivery_run import create_delivery_run
from tests.factories.dispute import FEE_OF_DISPUTE
from tests.factories.knowledge import create_article
from tests.factories.order import (
    CASH,
    NOW,
    RECEIPT_AFTER,
    SANDBOX,
    a_variant,
    arrive,
    create_order,
    dispatch,
    pay,
)
from tests.factories.packing import create_open_parcel, create_wave
from tests.factories.promotion import create_flash_sale
from tests.factories.returns import accept_return, refuse_return
from tests.factories.shipment import confirmed_order
from tests.factories.stock import create_warehouse
from tests.factories.store_credit import create_gift_card, give_credit
from tests.factories.training import certify, create_course, create_learner, take
from tests.observe import select_broken_rules


@dataclass(frozen=True)
class History:
    """A shop with orders, all made by its own commands."""

    order: Order
    """Has two lines, was made cheaper by a code and a flash sale, is paid, and one unit was cancelled."""
    line: OrderLine
    payment: Payment
    refund: Refund
    coupon: Promotion
    sale: Promotion
    variant: Variant
    waiting: DeliveryLine
    """A delivery line of which two of three units wait for stock."""
    uncounted: DeliveryLine
    """A delivery line of a variant whose stock is not counted."""
    claimed: Shipment
    """A parcel with two units at most, which a ticket is about."""
    empty: int
    """A warehouse without stock levels."""
    returned: Order
    """Completed, after one of its two units was returned."""
    refunding: Order
    """Received, and open for a refund only."""
    unpaid: Order
    """Received, and open for its cash only."""
    written_off: Order
    """Completed, its cash was written off."""
    disputed: Order
    """Completed, and its customer disputes what they have paid."""
    unlimited: Promotion
    """A code without limits that nobody has used."""
    credited: Order
    """Paid with store credit; a gift card that nobody has redeemed is in the same currency."""
    empty_credit: int
    """A store credit of which everything was spent."""
    richer_credit: int
    """Another one, of somebody else."""
    held: CashRun
    """A delivery run whose courier has the cash of two orders in hand."""
    carried: Order
    """Paid in cash, which a carrier has handed over."""
    wrong: CashHandIn
    """A count that was corrected."""
    correction: CashHandIn
    """What corrects it, and still differs."""
    driven: DeliveryRun
    """A delivery run that is under way."""
    scanning: OpenParcel
    """An open parcel with one unit of three."""
    closed: OpenParcel
    """An open parcel that was packed."""
    wave: Wave
    """A wave that was given up."""
    certificate: Certificate
    """Of somebody who has passed, with right answers only."""
    failed: QuizAttempt
    """Of somebody who has brought two of four options into the wrong order."""

    article: Article
    """Has a translation, a draft beside its text and one rating."""
    arrived: Ticket
    """Its goods have reached the warehouse, and wait to be inspected."""
    rewarded: Ticket
    """Was refunded into store credit, with a bonus."""
    bonus: Refund
    """Its refund."""

    @property
    def place(self) -> str:
        return f"variant {self.variant.id} in warehouse 1"


async def build_history(session: AsyncSession) -> History:
    await session.execute(insert_waybill("W0", status=WaybillStatus.CANCELLED))
    await create_rule(session, "small")
    await recount_days(session, [COUNTED_DAY], zone=DEADLINES.zone)
    variant, other = await a_variant(session, stock={"MAIN": 50}), await a_variant(session)
    coupon = await create_coupon(session, code="SPRING", usage_limit=10, usage_limit_per_buyer=5)
    sale = await create_flash_sale(session, variant, price=4_900, share=10, per_buyer=3)
    empty = await create_warehouse(session, code="EMPTY")
    buyer = await create_account(session)
    returned = await add_other_orders(session, variant, other)
    refunding, unpaid = await add_open_orders(session, other)
    written_off = await add_received_for_cash(session, other)
    [lost] = await session.scalars(rows_of(Shipment, written_off))
    await write_off_cash(session, lost.id, reason="Moved away.", cause=Cause(NOW))
    disputed = (await disputed_order(session)).order
    unlimited = await create_coupon(session, code="ANYBODY")
    credited, empty_credit, richer_credit = await add_order_paid_with_credit(
        session, await a_variant(session)
    )
    order = await create_order(
        session,
        account=buyer,
        lines=[(variant, 2), (other, 3)],
        coupon_code="SPRING",
        payments={SANDBOX: None, CASH: 5_000},
    )
    await pay(session, order)
    line = (await session.scalars(rows_of(OrderLine, order).order_by(OrderLine.position))).all()[1]
    await cancel_lines(
        session,
        order.id,
        [ClaimedUnits(line.id, 1)],
        reason="x",
        receipt_after=RECEIPT_AFTER,
        cause=Cause(NOW),
    )
    refund = (await session.scalars(rows_of(Refund, order))).one()
    await settle_refund(session, refund.id, provider_reference="R", cause=Cause(NOW))
    payment = await session.get_one(Payment, refund.payment_id)
    waiting = await only_line(session, await a_variant(session, sells_when_out=True, stock={"MAIN": 1}))
    uncounted = await only_line(session, await a_variant(session, tracked=False, stock={"MAIN": 0}))
    claimed = (
        await session.scalars(select(Shipment).join(TicketUnits, TicketUnits.shipment_id == Shipment.id))
    ).first()
    assert claimed is not None
    return History(
        order,
        line,
        payment,
        refund,
        coupon,
        sale,
        variant,
        waiting,
        uncounted,
        claimed,
        empty.id,
        returned,
        refunding,
        unpaid,
        written_off,
        disputed,
        unlimited,
        credited,
        empty_credit,
        richer_credit,
        *await add_cash(session),
        await add_run(session),
        *await add_packing(session),
        *await add_training(session),
        await add_articles(session),
        await add_arrived_return(session, other),
        *await add_refund_with_bonus(session),
    )


async def add_refund_with_bonus(session: AsyncSession) -> tuple[Ticket, Refund]:
    """A refund of one of two units into store credit, with a bonus that a cap limits."""
    variant = await a_variant(session)
    order = await create_order(session, lines=[(variant, 2)], status=OrderStatus.COMPLETED)
    ticket = await create_ticket(session, order=order, type=TicketType.REFUND_ONLY)
    terms = BonusTerms(500, {CurrencyCode.CNY: 100})
    await choose_refund_target(
        session, ticket.id, RefundTarget.STORE_CREDIT, terms=terms, cause=Cause(NOW, order.account_id)
    )
    await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, None))
    [refund] = (await session.scalars(rows_of(Refund, order))).all()
    await pay_credit_refund(session, refund.id, cause=Cause(NOW))
    await follow_refunds(session, ticket.id, DEADLINES, cause=Cause(NOW))
    return ticket, refund


async def add_articles(session: AsyncSession) -> Article:
    """An article with a translation, a draft beside its text, and the rating and reading of one reader."""
    article = await create_article(session, slug="audited")
    reader = ArticleReader("account:1")
    await read_article(session, article.id, reader, day=NOW.date(), cause=Cause(NOW))
    of_day = {"shown": 1, "reads": 2, "order_reads": 1, "deflected": 1}
    await add_to_days(session, {(article.id, NOW.date()): of_day})
    changed = ArticleText("audited-zh", "zh-CN", "returns", (), "退货", "七天内。", original_id=article.id)
    await publish_article(
        session, (await add_article(session, changed, cause=Cause(NOW))).id, cause=Cause(NOW)
    )
    draft = ArticleText("audited", "en", "returns", (), "Returns", "Within a month.")
    await save_draft(session, article.id, draft, version=1, cause=Cause(NOW))
    await rate_article(session, article.id, reader="account:1", helpful=True, cause=Cause(NOW))
    return article


async def add_training(session: AsyncSession) -> tuple[Certificate, QuizAttempt]:
    """A certificate of somebody, and the attempt of somebody else who has failed with some credit."""
    past = NOW - timedelta(days=10)
    course = await create_course(session, now=past)
    partly = {3: ["Agree", "Apply", "Send back", "Refund"]}
    failed = await take(session, course, await create_learner(session), answers=partly, now=past)
    return await certify(session, course, await create_learner(session), now=past), failed


async def add_packing(session: AsyncSession) -> tuple[OpenParcel, OpenParcel, Wave]:
    """Two parcels into which units were scanned, one of which was packed, and a wave that was given up."""
    parcels = []
    orders = [await confirmed_order(session) for _ in range(2)]
    for order, barcode in zip(orders, ("10000007", "10000014"), strict=True):
        variant = await session.get_one(
            Variant, (await session.scalars(rows_of(OrderLine, order))).one().variant_id
        )
        variant.barcode = barcode
        parcel = await create_open_parcel(session, order)
        await scan_into_parcel(session, parcel.id, Scan(barcode), cause=Cause(NOW))
        parcels.append(parcel)
    packed = ParcelToPack([], open_parcel_id=parcels[1].id)
    await pack_shipments(session, parcels[1].delivery_id, [packed], numbers=["SCANNED"], cause=Cause(NOW))
    wave = await create_wave(session, orders[0])
    await cancel_wave(session, wave.id, cause=Cause(NOW))
    return parcels[0], parcels[1], wave


async def add_run(session: AsyncSession) -> DeliveryRun:
    """A run with one parcel, whose courier has left."""
    order = await confirmed_order(session)
    parcel = await pack_order(session, order, now=NOW)
    run = await create_delivery_run(session, [parcel])
    assert run.courier_id is not None
    await start_delivery_run(session, run.id, cause=Cause(NOW, run.courier_id), receipt_after=RECEIPT_AFTER)
    return run


async def add_cash(session: AsyncSession) -> tuple[CashRun, Order, CashHandIn, CashHandIn]:
    """Cash in a courier's hands, in the till, and of another run that was counted twice."""
    couriers = [await create_account(session, role=Role.COURIER) for _ in range(2)]
    held = await drive_cash_run(session, couriers[0], CurrencyCode.CNY, CurrencyCode.CNY)
    carried = await create_order(session, payments={CASH: None})
    [parcel] = await dispatch(session, carried)
    await arrive(session, parcel)
    payment = (await session.scalars(rows_of(Payment, carried))).one()
    await collect_cash(session, payment.id, payment.total, cause=Cause(NOW))
    counted = (await drive_cash_run(session, couriers[1])).run
    cause = Cause(NOW, (await create_account(session, role=Role.MANAGER)).id)
    wrong = await hand_in_cash(
        session, counted.id, Money(9_000, CurrencyCode.CNY), reason="x", key="wrong", cause=cause
    )
    await accept_difference(session, wrong.id, reason="x", cause=cause)
    correction = await correct_hand_in(
        session, wrong.id, Money(9_500, CurrencyCode.CNY), reason="x", key="right", cause=cause
    )
    return held, carried, wrong, correction


async def add_order_paid_with_credit(session: AsyncSession, variant: Variant) -> tuple[Order, int, int]:
    """An order paid with the store credit of its customer, of which nothing is left; another credit."""
    customer = await create_account(session)
    await give_credit(session, customer, 9_900)
    await create_gift_card(session)
    order = await create_order(
        session, account=customer, lines=[(variant, 1)], payments={PaymentMethod.STORE_CREDIT: None}
    )
    credits = await session.scalars(select(StoreCredit.id).where(StoreCredit.account_id == customer.id))
    other = await create_account(session)
    await give_credit(session, other, 100)
    credits = await session.scalars(
        select(StoreCredit.id)
        .where(StoreCredit.account_id.in_([customer.id, other.id]))
        .order_by(StoreCredit.account_id)
    )
    empty, richer = credits.all()
    return order, empty, richer


async def only_line(session: AsyncSession, variant: Variant) -> DeliveryLine:
    """The delivery line of an order of three units."""
    order = await create_order(session, lines=[(variant, 3)])
    found = select(DeliveryLine).join(Delivery, Delivery.id == DeliveryLine.delivery_id)
    return (await session.scalars(found.where(Delivery.order_id == order.id))).one()


async def add_open_orders(session: AsyncSession, other: Variant) -> tuple[Order, Order]:
    """Orders that everybody has received, of which only a refund or cash is open."""
    refunding = await create_order(session, lines=[(other, 1)], status=OrderStatus.COMPLETED)
    await request_refund(session, refunding, refunding.money(100), reason="sorry", cause=Cause(NOW))
    return refunding, await add_received_for_cash(session, other)


async def add_received_for_cash(session: AsyncSession, variant: Variant) -> Order:
    order = await create_order(session, lines=[(variant, 1)], payments={CASH: None})
    [parcel] = await dispatch(session, order)
    await arrive(session, parcel)
    await confirm_receipt(session, order.id, cause=Cause(NOW))
    return order


async def add_other_orders(session: AsyncSession, variant: Variant, other: Variant) -> Order:
    """Other orders: under way, returned in part, cancelled, cancelled in part; the one returned in part."""
    sent = await create_order(session, lines=[(variant, 1), (other, 1)], status=OrderStatus.CONFIRMED)
    await dispatch(session, sent)
    returned = await create_order(session, lines=[(other, 2)], status=OrderStatus.COMPLETED)
    ticket = await create_ticket(session, order=returned, status=TicketStatus.RETURN_SHIPPED)
    await accept_return(session, ticket.id, DEADLINES, damaged=True, cause=Cause(NOW, None))
    await settle_refunds(session, ticket)
    await follow_refunds(session, ticket.id, DEADLINES, cause=Cause(NOW))
    refused = await create_order(session, lines=[(variant, 1)], status=OrderStatus.COMPLETED)
    worn = await create_ticket(session, order=refused, status=TicketStatus.RETURN_SHIPPED)
    await refuse_return(session, worn.id, DEADLINES, reason="It is worn.", cause=Cause(NOW, None))
    await create_order(session, lines=[(variant, 2)], coupon_code="SPRING", status=OrderStatus.CANCELLED)
    unpaid = await create_order(session, lines=[(other, 3)])
    line = (await session.scalars(rows_of(OrderLine, unpaid))).one()
    await cancel_lines(
        session,
        unpaid.id,
        [ClaimedUnits(line.id, 2)],
        reason="x",
        receipt_after=RECEIPT_AFTER,
        cause=Cause(NOW),
    )
    return returned


def rows_of(table: Any, order: Order) -> Any:
    return select(table).where(table.order_id == order.id)


def insert_overdraft(history: History) -> Insert:
    """One customer gave up more than there was, another one has got it."""
    moved = {"currency": "CNY", "created_at": NOW}
    richer = {"store_credit_id": history.richer_credit, "kind": StoreCreditKind.REFUNDED, "amount": 5}
    poorer = {"store_credit_id": history.empty_credit, "kind": StoreCreditKind.FORFEITED, "amount": -5}
    return insert(StoreCreditMovement).values([moved | richer, moved | poorer])


def credit_with_bonus(history: History) -> Any:
    """The id of the store credit into which a bonus came."""
    came = StoreCreditMovement.bonus_refund_id == history.bonus.id
    return select(StoreCreditMovement.store_credit_id).where(came).scalar_subquery()


Tampering = tuple[Update | Insert, Any]
"""A change of one row that no command makes, and the name of the row in the disagreement."""


def is_collected(history: History) -> ColumnElement[bool]:
    """Whether a movement is what was collected for the first order of the run whose cash is in hand."""
    posting = select(Posting.id).where(
        Posting.order_id == history.held.orders[0].id, Posting.kind == PostingKind.CASH_COLLECTED
    )
    return CourierCashMovement.posting_id == posting.scalar_subquery()


def increment(column: Any, *which: Any) -> Update:
    return update(column.class_).where(*which).values({column: column + 1})


def is_entry(history: History, kind: PostingKind, account: LedgerAccount) -> Any:
    posting = select(Posting.id).where(Posting.order_id == history.order.id, Posting.kind == kind)
    found = select(LedgerEntry.id).where(LedgerEntry.posting_id.in_(posting), LedgerEntry.account == account)
    return LedgerEntry.id == found.scalar_subquery()


def insert_movement(history: History, warehouse_id: int, **changed: int) -> Insert:
    return insert(StockMovement).values(
        {"on_hand": 0, "reserved": 0, "damaged": 0, "backordered": 0}
        | changed
        | {
            "variant_id": history.variant.id,
            "warehouse_id": warehouse_id,
            "kind": MovementKind.CORRECTED,
            "reason": "",
            "created_at": NOW,
        }
    )


def insert_reservation_swap(history: History) -> Insert:
    """A unit that was reserved for one order is reserved for another, which has ended."""
    moved = {
        "variant_id": history.variant.id,
        "warehouse_id": 1,
        "kind": MovementKind.CORRECTED,
        "on_hand": 0,
        "damaged": 0,
        "reason": "",
        "created_at": NOW,
    }
    return insert(StockMovement).values(
        [
            moved | {"reserved": 1, "order_id": history.returned.id},
            moved | {"reserved": -1, "order_id": history.order.id},
        ]
    )


def insert_shipping_swap(history: History) -> Insert:
    """A unit has left for an order of which no parcel has it, and was found again."""
    moved = {
        "variant_id": history.variant.id,
        "warehouse_id": 1,
        "reserved": 0,
        "damaged": 0,
        "reason": "",
        "created_at": NOW,
    }
    return insert(StockMovement).values(
        [
            moved | {"kind": MovementKind.SHIPPED, "on_hand": -1, "order_id": history.returned.id},
            moved | {"kind": MovementKind.CORRECTED, "on_hand": 1, "order_id": None},
        ]
    )


def is_stop_of(run: DeliveryRun) -> Any:
    return DeliveryRunStop.delivery_run_id == run.id


def insert_difference(history: History, **changed: Any) -> Insert:
    """A difference of a cent for the ticket of the returned order."""
    values = {
        "ticket_id": id_in(Ticket, history.returned),
        "currency": history.returned.currency,
        "amount": 1,
        "plan": "[]",
        "requested_at": NOW,
    }
    return insert(TicketDifference).values(values | changed)


def id_in(table: Any, order: Order) -> Any:
    """The id of the first row of an order."""
    return select(table.id).where(table.order_id == order.id).order_by(table.id).limit(1).scalar_subquery()


def select_cancelled(column: Any) -> Any:
    return select(column).where(Order.status == OrderStatus.CANCELLED).limit(1)


def is_level(history: History) -> Any:
    return (StockLevel.variant_id == history.variant.id) & (StockLevel.warehouse_id == 1)


def is_line_of(order: Order) -> Any:
    deliveries = select(Delivery.id).where(Delivery.order_id == order.id)
    return DeliveryLine.delivery_id.in_(deliveries)


def is_delivery(history: History) -> Any:
    return Delivery.order_id == history.order.id


def insert_return(history: History, number: str, **values: Any) -> Insert:
    """A parcel that comes back for no ticket."""
    row = {
        "account_id": history.order.account_id,
        "warehouse_id": history.empty,
        "carrier": SIMULATED_CARRIER,
        "status": ShipmentStatus.PENDING,
        "sent_after": NOW,
        "given_at": NOW,
    }
    return insert(ReturnParcel).values(tracking_number=number, **row | values)


async def add_arrived_return(session: AsyncSession, variant: Variant) -> Ticket:
    """A ticket whose goods have reached the warehouse, and wait to be inspected."""
    order = await create_order(session, lines=[(variant, 1)], status=OrderStatus.COMPLETED)
    ticket = await create_ticket(session, order=order, status=TicketStatus.AWAITING_RETURN)
    waybill = ReturnWaybill(SIMULATED_CARRIER, "R0001")
    await ship_return(session, ticket.id, waybill, DEADLINES, cause=Cause(NOW, order.account_id))
    delivered = await find_delivered_address(session, ticket)
    await add_collection(session, ticket, delivered, now=NOW)
    found = await lock_return(session, ticket.return_parcel_id or 0)
    assert found is not None
    arrived = TrackingFact(ShipmentStatus.DELIVERED, "80", "Signed for.", NOW)
    await add_return_events(session, found, [arrived], DEADLINES, cause=Cause(NOW))
    return ticket


def insert_waybill(reference: str, **values: Any) -> Insert:
    """A waybill that nobody has asked for."""
    row = {
        "carrier": SIMULATED_CARRIER,
        "choice": CarrierChoice.STAFF,
        "status": WaybillStatus.REQUESTED,
        "children": [],
        "requested_at": NOW,
        "calls": 0,
    }
    return insert(Waybill).values(reference=reference, **row | values)


def rule_id_of(code: str) -> Any:
    return select(AgreementRule.id).where(AgreementRule.code == code).scalar_subquery()


def insert_decision(h: History, **changes: object) -> Insert:
    """A decision of the rule about the shop's silence, within its limits."""
    values: dict[str, object] = {
        "ticket_id": id_in(Ticket, h.returned),
        "step": AgreementStep.AGREED,
        "rule_id": rule_id_of("silence"),
        "code": "silence",
        "day": date(2026, 11, 11),
        "currency": CurrencyCode.CNY,
        "amount": 100,
        "daily_amount": 100,
        "daily_tickets": 1,
        "decided_at": NOW,
    }
    return insert(RuleDecision).values(**(values | changes))


def insert_question(h: History, **changes: object) -> Insert:
    """A question that was answered; nothing is due of it."""
    values: dict[str, object] = {
        "number": "Q1",
        "order_id": h.returned.id,
        "account_id": h.returned.account_id,
        "type": TicketType.QUESTION,
        "reason": TicketReason.QUESTION,
        "status": TicketStatus.ANSWERED,
        "description": "Hm.",
        "currency": CurrencyCode.CNY,
        "refund_amount": 0,
        "version": 0,
        "opened_at": NOW,
        "resolved_at": None if "status" in changes else NOW,
    }
    return insert(Ticket).values(**(values | changes))


def insert_parcel(history: History, number: str, **values: Any) -> Insert:
    """An empty parcel that waits to leave."""
    line = history.waiting
    row = {
        "order_id": select(Delivery.order_id).where(Delivery.id == line.delivery_id).scalar_subquery(),
        "delivery_id": line.delivery_id,
        "warehouse_id": line.warehouse_id,
        "status": ShipmentStatus.PENDING,
        "weight_grams": 0,
        "version": 0,
        "packed_at": NOW,
    }
    return insert(Shipment).values(number=number, **row | values)


COUNTED_DAY = date(2025, 1, 1)
"""A day without tickets that was counted."""


def insert_refund_day(dimension: RefundDimension, **counts: int) -> Insert:
    """Units of the counted day, on which there were none."""
    row = {"dimension": dimension, "day": COUNTED_DAY, "key": "1", "currency": CurrencyCode.CNY}
    return insert(RefundDay).values(**row, **{"sent": 0, "refunded": 0, "amount": 0} | counts)


TAMPERED: dict[str, Callable[[History], Tampering]] = {
    "a posting balances": lambda h: (
        increment(LedgerEntry.amount, is_entry(h, PostingKind.CAPTURED, LedgerAccount.PROVIDER)),
        select(Posting.key).where(Posting.order_id == h.order.id, Posting.kind == PostingKind.CAPTURED),
    ),
    "captured as posted": lambda h: (
        update(Payment).where(Payment.id == h.payment.id).values(captured_amount=Payment.captured_amount - 1),
        h.payment.reference,
    ),
    "money of attempts is known": lambda h: (
        update(Payment).where(Payment.id == h.payment.id).values(attempt_reference=None),
        h.payment.attempt_reference,
    ),
    "store credit as posted": lambda h: (
        update(LedgerEntry)
        .where(LedgerEntry.account == LedgerAccount.STORE_CREDIT, LedgerEntry.order_id == h.credited.id)
        .values(account=LedgerAccount.BANK),
        "CNY",
    ),
    "store credit as paid and refunded": lambda h: (
        update(StoreCreditMovement)
        .where(StoreCreditMovement.kind == StoreCreditKind.SPENT)
        .values(payment_id=None),
        select(Payment.reference).where(Payment.order_id == h.credited.id),
    ),
    "bonuses come with their refunds": lambda h: (
        increment(Refund.bonus_amount, Refund.id == h.bonus.id),
        h.bonus.reference,
    ),
    "no more of a bonus is taken back than came": lambda h: (
        insert(StoreCreditMovement).values(
            store_credit_id=credit_with_bonus(h),
            kind=StoreCreditKind.BONUS_REVOKED,
            currency="CNY",
            amount=-101,
            bonus_refund_id=h.bonus.id,
            created_at=NOW,
        ),
        h.bonus.reference,
    ),
    "bonuses as posted": lambda h: (
        update(Posting)
        .where(Posting.kind == PostingKind.BONUS_GRANTED)
        .values(kind=PostingKind.GIFT_CARD_REDEEMED),
        f"bonus:{h.bonus.reference}",
    ),
    "bonuses are no more than was promised": lambda h: (
        update(Ticket).where(Ticket.id == h.rewarded.id).values(bonus_basis_points=1),
        h.rewarded.number,
    ),
    "tickets bring the bonus they say": lambda h: (
        increment(Ticket.bonus_amount, Ticket.id == h.rewarded.id),
        h.rewarded.number,
    ),
    "bonuses of an order are within its cap": lambda h: (
        update(Ticket).where(Ticket.id == h.rewarded.id).values(bonus_cap_amount=99),
        select(Order.number).where(Order.id == h.rewarded.order_id),
    ),
    "no store credit below zero": lambda h: (insert_overdraft(h), str(h.empty_credit)),
    "gift cards as posted": lambda h: (
        increment(GiftCard.amount, GiftCard.status == GiftCardStatus.ISSUED),
        "CNY",
    ),
    "refunds as requested": lambda h: (
        increment(Payment.refunded_amount, Payment.id == h.payment.id),
        h.payment.reference,
    ),
    "refunded as posted": lambda h: (
        update(Refund).where(Refund.id == h.refund.id).values(status=RefundStatus.FAILED),
        h.payment.reference,
    ),
    "a refund on its way is asked after": lambda h: (
        update(Refund).where(Refund.order_id == h.refunding.id).values(query_at=None),
        select(Refund.reference).where(Refund.order_id == h.refunding.id),
    ),
    "refunds into store credit are paid": lambda h: (
        update(Refund)
        .where(Refund.order_id == h.refunding.id)
        .values(status=RefundStatus.ABNORMAL, target=RefundTarget.STORE_CREDIT),
        select(Refund.reference).where(Refund.order_id == h.refunding.id),
    ),
    "parcels are of deliveries of their order": lambda h: (
        insert_parcel(h, "X1", order_id=h.carried.id),
        "X1",
    ),
    "parcels that were sent have a number": lambda h: (
        update(Shipment).where(Shipment.id == h.claimed.id).values(tracking_number=None),
        h.claimed.number,
    ),
    "parcels are where it was reported": lambda h: (
        insert_parcel(h, "X2", status=ShipmentStatus.CUSTOMS),
        "X2",
    ),
    "parcels have arrived when it was reported": lambda h: (
        update(Shipment).where(Shipment.id == h.claimed.id).values(delivered_at=NOW - timedelta(days=15)),
        h.claimed.number,
    ),
    "parcels under way are asked about": lambda h: (
        insert_parcel(h, "X3", polled_at=NOW, carrier=SIMULATED_CARRIER),
        "X3",
    ),
    "pushes of carriers are folded": lambda h: (
        insert(IncomingPush).values(
            connection=CarrierConnection.KUAIDI100,
            tracking_number="YT1",
            content="{}",
            received_at=NOW - timedelta(days=1) - FOLDED_WITHIN,
            due_at=NOW - timedelta(days=1) - FOLDED_WITHIN,
        ),
        "YT1",
    ),
    "tasks are of parcels that are late or silent": lambda h: (
        insert(ShipmentTask).values(
            shipment_id=h.claimed.id, kind=ShipmentTaskKind.SILENT, due_at=NOW, opened_at=NOW
        ),
        h.claimed.number,
    ),
    "late and silent parcels have tasks": lambda h: (
        update(Shipment)
        .where(Shipment.id == h.claimed.id)
        .values(late_at=NOW - timedelta(days=1) - OPENED_WITHIN),
        h.claimed.number,
    ),
    "waybills that wait are called about": lambda h: (
        insert_waybill("W1", requested_at=NOW + timedelta(days=365), call_at=None),
        "W1",
    ),
    "waybills that were asked for are answered": lambda h: (
        insert_waybill("W2", requested_at=NOW - timedelta(days=365), call_at=NOW),
        "W2",
    ),
    "live waybills are of parcels that need them": lambda h: (
        insert_waybill("W3", status=WaybillStatus.BOOKED, number="N3", shipment_id=h.claimed.id),
        "W3",
    ),
    "waybills go along on live ones": lambda h: (
        insert_waybill(
            "W4",
            status=WaybillStatus.BOOKED,
            mother_id=select(Waybill.id).where(Waybill.reference == "W0").scalar_subquery(),
        ),
        "W4",
    ),
    "what carriers collect is fixed for their parcels": lambda h: (
        insert_waybill(
            "W5",
            status=WaybillStatus.BOOKED,
            carrier=h.claimed.carrier,
            number=h.claimed.tracking_number,
            shipment_id=h.claimed.id,
            cash_amount=7_00,
        ),
        "W5",
    ),
    "places say from whom they are known": lambda h: (
        update(Delivery).where(is_delivery(h)).values(latitude=30.2, longitude=120.1, coordinate_source=None),
        select(literal("deliveries ") + cast(Delivery.id, String)).where(is_delivery(h)),
    ),
    "windows end after they begin": lambda h: (
        update(Delivery).where(is_delivery(h)).values(window_from=NOW, window_until=NOW - timedelta(hours=1)),
        select(literal("delivery ") + cast(Delivery.id, String)).where(is_delivery(h)),
    ),
    "estimates are within their range": lambda h: (
        update(Shipment)
        .where(Shipment.id == h.claimed.id)
        .values(eta_earliest_at=NOW, eta_at=NOW, eta_latest_at=NOW - timedelta(hours=1)),
        h.claimed.number,
    ),
    "nothing is expected of parcels that have ended": lambda h: (
        update(Shipment).where(Shipment.id == h.claimed.id).values(silent_at=NOW + timedelta(days=365)),
        h.claimed.number,
    ),
    "statistics of lanes weigh no more than their parcels": lambda h: (
        insert(LaneStatistic).values(key="DISPATCHED|", counts=[0.0, 1_000.5], counted_at=NOW),
        "DISPATCHED|",
    ),
    "fees as posted": lambda h: (
        increment(Payment.fee_amount, Payment.id == h.payment.id),
        h.payment.reference,
    ),
    "fees of disputes as posted": lambda h: (
        increment(Dispute.fee_amount, Dispute.order_id == h.disputed.id),
        "dp_1",
    ),
    "disputes as posted": lambda h: (
        update(Posting)
        .where(Posting.order_id == h.disputed.id, Posting.kind == PostingKind.DISPUTE_OPENED)
        .values(kind=PostingKind.DISPUTE_LOST),
        select(Payment.reference).where(Payment.order_id == h.disputed.id),
    ),
    "disputed as reported": lambda h: (
        increment(Payment.disputed_amount, Payment.id == h.payment.id),
        h.payment.reference,
    ),
    "open disputes as posted": lambda h: (
        update(LedgerEntry)
        .where(LedgerEntry.order_id == h.disputed.id, LedgerEntry.amount == -FEE_OF_DISPUTE)
        .values(account=LedgerAccount.DISPUTED),
        select(Payment.reference).where(Payment.order_id == h.disputed.id),
    ),
    "total was invoiced": lambda h: (
        update(Posting)
        .where(Posting.order_id == h.order.id, Posting.kind == PostingKind.INVOICED)
        .values(kind=PostingKind.WRITTEN_OFF),
        h.order.number,
    ),
    "sold is the total less what goes back": lambda h: (
        update(LedgerEntry)
        .where(is_entry(h, PostingKind.INVOICED, LedgerAccount.SALES))
        .values(account=LedgerAccount.WRITE_OFF),
        h.order.number,
    ),
    "payment status as the books say": lambda h: (
        update(Order).where(Order.id == h.order.id).values(payment_status=OrderPaymentStatus.UNPAID),
        h.order.number,
    ),
    "subtotal is the lines": lambda h: (
        increment(OrderLine.unit_amount, OrderLine.id == h.line.id),
        h.order.number,
    ),
    "discount is that of the lines": lambda h: (
        increment(OrderLine.discount_amount, OrderLine.id == h.line.id),
        h.order.number,
    ),
    "shipping is the fees": lambda h: (increment(Delivery.fee_amount, is_delivery(h)), h.order.number),
    "total is the payments": lambda h: (
        increment(Payment.amount, Payment.id == h.payment.id),
        h.order.number,
    ),
    "cancelled came off or went back": lambda h: (
        increment(OrderLine.cancelled_amount, OrderLine.id == h.line.id),
        h.order.number,
    ),
    "versions without a gap": lambda h: (increment(Order.version, Order.id == h.order.id), h.order.number),
    "lines are what is sent": lambda h: (
        increment(OrderLine.cancelled, OrderLine.id == h.line.id),
        f"{h.order.number} line 2",
    ),
    "no ticket open on ended orders": lambda h: (
        update(Ticket).where(Ticket.order_id == h.returned.id).values(status=TicketStatus.AWAITING_RETURN),
        h.returned.number,
    ),
    "no units to pack on ended orders": lambda h: (
        update(DeliveryLine).where(is_line_of(h.returned)).values(packed=1),
        h.returned.number,
    ),
    "no parcel under way on ended orders": lambda h: (
        update(Shipment).where(Shipment.order_id == h.returned.id).values(status=ShipmentStatus.RETURNED),
        h.returned.number,
    ),
    "no refund open on ended orders": lambda h: (
        update(Order).where(Order.id == h.refunding.id).values(status=OrderStatus.COMPLETED),
        h.refunding.number,
    ),
    "no money due on ended orders": lambda h: (
        update(Order).where(Order.id == h.unpaid.id).values(status=OrderStatus.COMPLETED),
        h.unpaid.number,
    ),
    "no edit waiting on ended orders": lambda h: (
        insert(OrderEdit).values(
            order_id=h.returned.id,
            payment_id=id_in(Payment, h.returned),
            status=OrderEditStatus.AWAITING_PAYMENT,
            currency=h.returned.currency,
            amount=1,
            created_at=NOW,
            due_at=NOW,
        ),
        h.returned.number,
    ),
    "nothing to collect of ended orders": lambda h: (
        insert(Pickup).values(
            delivery_id=id_in(Delivery, h.returned),
            warehouse_id=1,
            status=PickupStatus.READY,
            nonce="x",
            failed_tries=0,
        ),
        h.returned.number,
    ),
    "fulfilment as the parcels say": lambda h: (
        update(Order).where(Order.id == h.order.id).values(fulfilment_status=FulfilmentStatus.SHIPPED),
        h.order.number,
    ),
    "ready to be collected as the parcels say": lambda h: (
        update(Order).where(Order.id == h.order.id).values(ready_for_pickup=True),
        h.order.number,
    ),
    "sent as the parcels say": lambda h: (
        update(Order).where(Order.id == h.order.id).values(nothing_sent=True),
        h.order.number,
    ),
    "no payment open on cancelled orders": lambda h: (
        update(Event).where(Event.relayed_at.is_(None)).values(relayed_at=NOW),
        select_cancelled(Order.number),
    ),
    "no promotion used by cancelled orders": lambda h: (
        insert(PromotionUse).values(
            order_id=select_cancelled(Order.id).scalar_subquery(),
            promotion_id=h.unlimited.id,
            account_id=h.order.account_id,
            position=2,
            title="x",
            currency=h.order.currency,
            amount=0,
            flash_units=0,
            used_at=NOW,
        ),
        select_cancelled(Order.number),
    ),
    "completed orders have arrived": lambda h: (
        update(Order).where(Order.id == h.returned.id).values(fulfilment_status=FulfilmentStatus.SHIPPED),
        h.returned.number,
    ),
    "receipt of what has arrived is due": lambda h: (
        update(Order).where(Order.id == h.unpaid.id).values(receipt_due_at=None, receipt_confirmed_at=None),
        h.unpaid.number,
    ),
    "nothing owed on completed orders": lambda h: (
        update(LedgerEntry)
        .where(LedgerEntry.order_id == h.written_off.id, LedgerEntry.account == LedgerAccount.CUSTOMER)
        .where(LedgerEntry.amount < 0)
        .values(account=LedgerAccount.BANK),
        h.written_off.number,
    ),
    "tickets bring back what is refunded": lambda h: (
        increment(Ticket.refund_amount, Ticket.order_id == h.returned.id),
        select(Ticket.number).where(Ticket.order_id == h.returned.id),
    ),
    "nothing reserved for ended orders": lambda h: (
        insert_reservation_swap(h),
        h.returned.number,
    ),
    "cash of parcels is that of their order": lambda h: (
        increment(Shipment.cash_amount, Shipment.order_id == h.unpaid.id),
        h.unpaid.number,
    ),
    "cash due is brought by parcels": lambda h: (
        update(Shipment).where(Shipment.order_id == h.unpaid.id).values(cash_amount=Shipment.cash_amount - 1),
        h.unpaid.number,
    ),
    "claimed no more than was sent": lambda h: (
        update(TicketUnits).where(TicketUnits.shipment_id == h.claimed.id).values(quantity=3),
        h.claimed.number,
    ),
    "packed as in parcels": lambda h: (
        increment(DeliveryLine.packed, DeliveryLine.id == h.uncounted.id),
        f"delivery line {h.uncounted.id}",
    ),
    "scanned no more than is to be packed": lambda h: (
        update(OpenParcelLine).where(OpenParcelLine.open_parcel_id == h.scanning.id).values(quantity=4),
        select(literal("delivery line ") + cast(OpenParcelLine.delivery_line_id, String)).where(
            OpenParcelLine.open_parcel_id == h.scanning.id
        ),
    ),
    "packed as scanned": lambda h: (
        increment(OpenParcelLine.quantity, OpenParcelLine.open_parcel_id == h.closed.id),
        f"open parcel {h.closed.id}",
    ),
    "waves end with their parts": lambda h: (
        update(Wave).where(Wave.id == h.wave.id).values(status=WaveStatus.OPEN),
        h.wave.number,
    ),
    "tickets are about units of parcels": lambda h: (
        increment(TicketUnits.quantity, TicketUnits.shipment_id == h.claimed.id),
        select(Ticket.number).where(Ticket.order_id == h.returned.id),
    ),
    "nothing is due of tickets that have ended": lambda h: (
        update(Ticket).where(Ticket.order_id == h.returned.id).values(attend_by=NOW),
        select(Ticket.number).where(Ticket.order_id == h.returned.id),
    ),
    "lines of tickets bring back no more than tickets": lambda h: (
        increment(TicketLine.refund_amount, TicketLine.ticket_id == id_in(Ticket, h.returned)),
        select(Ticket.number).where(Ticket.order_id == h.returned.id),
    ),
    "returns are inspected to the last unit": lambda h: (
        increment(ReturnInspection.quantity, ReturnInspection.ticket_id == id_in(Ticket, h.returned)),
        select(Ticket.number).where(Ticket.order_id == h.returned.id),
    ),
    "what is accepted of returns is granted": lambda h: (
        update(ReturnInspection)
        .where(ReturnInspection.ticket_id == id_in(Ticket, h.returned))
        .values(accepted=False),
        select(Ticket.number).where(Ticket.order_id == h.returned.id),
    ),
    "only what was refused goes back, for nothing": lambda h: (
        increment(
            DeliveryLine.quantity,
            DeliveryLine.delivery_id == select(Delivery.id).where(Delivery.sends_back).scalar_subquery(),
        ),
        select(literal("delivery line ") + cast(ReturnInspection.delivery_line_id, String)).where(
            ReturnInspection.delivery_line_id.is_not(None)
        ),
    ),
    "what is accepted of returns is in the stock": lambda h: (
        update(ReturnInspection)
        .where(ReturnInspection.ticket_id == id_in(Ticket, h.returned))
        .values(condition=ReturnCondition.MISSING),
        h.returned.number,
    ),
    "returns are where it was reported": lambda h: (
        insert_return(h, "R1", status=ShipmentStatus.IN_TRANSIT),
        "R1",
    ),
    "returns under way are asked about": lambda h: (
        insert_return(h, "R2", polled_at=NOW),
        "R2",
    ),
    "returns that are followed are waited for": lambda h: (
        insert_return(h, "R3", poll_at=NOW),
        "R3",
    ),
    "collections that are booked are followed": lambda h: (
        insert_waybill(
            "W6",
            status=WaybillStatus.BOOKED,
            number="R0002",
            return_collection_id=select(ReturnCollection.id).scalar_subquery(),
        ),
        "W6",
    ),
    "tickets say when their returns have arrived": lambda h: (
        update(Event).where(Event.name == TicketReturnDelivered.name).values(name=TicketReturnTracked.name),
        h.arrived.number,
    ),
    "lines of tickets are of their orders": lambda h: (
        insert(TicketLine).values(
            ticket_id=h.arrived.id,
            order_line_id=h.line.id,
            quantity=1,
            currency=CurrencyCode.CNY,
            refund_amount=0,
        ),
        h.arrived.number,
    ),
    "reductions were refunded": lambda h: (
        increment(DeliveryLine.reduction_amount, DeliveryLine.order_line_id == h.line.id),
        f"{h.order.number} line 2",
    ),
    "duplicates go on as tickets of their order": lambda h: (
        update(Ticket).where(Ticket.order_id == h.returned.id).values(merged_into_id=0),
        select(Ticket.number).where(Ticket.order_id == h.returned.id),
    ),
    "tickets are attended to before they are due": lambda h: (
        insert_question(h, status=TicketStatus.APPLIED, due_at=NOW, attend_by=NOW + timedelta(hours=1)),
        "Q1",
    ),
    "questions are served in time": lambda h: (insert_question(h, due_at=NOW - timedelta(days=90)), "Q1"),
    "surcharges were paid": lambda h: (
        increment(TicketLine.surcharge_amount, TicketLine.ticket_id == id_in(Ticket, h.returned)),
        select(Ticket.number).where(Ticket.order_id == h.returned.id),
    ),
    "differences are what is paid for them": lambda h: (
        insert_difference(h, payment_id=h.payment.id, paid_at=NOW),
        h.payment.reference,
    ),
    "repairs end before their tickets go on": lambda h: (
        insert(TicketRepair).values(
            ticket_id=id_in(Ticket, h.returned), outcome=RepairOutcome.REPAIRED, note="", finished_at=NOW
        ),
        select(Ticket.number).where(Ticket.order_id == h.returned.id),
    ),
    "paid differences are sent": lambda h: (
        insert_difference(h, payment_id=h.payment.id, paid_at=NOW),
        h.payment.reference,
    ),
    "tickets wait for what is to be paid": lambda h: (
        insert_difference(h),
        select(Ticket.number).where(Ticket.order_id == h.returned.id),
    ),
    "tickets were answered as recorded": lambda h: (
        update(Ticket).where(Ticket.order_id == h.returned.id).values(first_answered_at=None),
        select(Ticket.number).where(Ticket.order_id == h.returned.id),
    ),
    "tickets came back as recorded": lambda h: (
        increment(Ticket.reopens, Ticket.order_id == h.returned.id),
        select(Ticket.number).where(Ticket.order_id == h.returned.id),
    ),
    "days of tickets as counted": lambda h: (increment(TicketDay.opened, true()), f"{COUNTED_DAY} opened"),
    "times of days as counted": lambda h: (
        update(TicketDay).values(resolution_times=b"\1\0\0\0"),
        f"{COUNTED_DAY} until ends",
    ),
    "agents of days as counted": lambda h: (
        update(TicketDay).values(agents={"1": [1, 0, 0, 0, 0]}),
        f"{COUNTED_DAY} agents",
    ),
    "refunds of days as counted": lambda h: (
        insert_refund_day(RefundDimension.REASON, refunded=1),
        f"{COUNTED_DAY} by reason 1",
    ),
    "units sent on days as counted": lambda h: (
        insert_refund_day(RefundDimension.WAREHOUSE, sent=1),
        f"{COUNTED_DAY} by warehouse 1",
    ),
    "rules give no more in a day than they may": lambda h: (
        insert_decision(h, amount=101),
        "silence 2026-11-11",
    ),
    "rules agree to no more tickets in a day than they may": lambda h: (
        insert_decision(h, daily_tickets=0),
        "silence 2026-11-11",
    ),
    "rules give no more for an order than for a ticket": lambda h: (
        insert_decision(h, rule_id=rule_id_of("small"), code="small", amount=10_001, daily_amount=10_001),
        select(Ticket.number).where(Ticket.order_id == h.returned.id),
    ),
    "rules decide by active versions": lambda h: (
        insert_decision(h, code="small"),
        select(Ticket.number).where(Ticket.order_id == h.returned.id),
    ),
    "what is overdue waits for the shop": lambda h: (
        update(Ticket).where(Ticket.order_id == h.returned.id).values(overdue_since=NOW),
        select(Ticket.number).where(Ticket.order_id == h.returned.id),
    ),
    "what waits for the shop falls due": lambda h: (
        insert_question(h, status=TicketStatus.APPLIED),
        "Q1",
    ),
    "on hand as moved": lambda h: (increment(StockLevel.on_hand, is_level(h)), h.place),
    "reserved as moved": lambda h: (insert_movement(h, 1, reserved=1), h.place),
    "damaged as moved": lambda h: (increment(StockLevel.damaged, is_level(h)), h.place),
    "backordered as moved": lambda h: (insert_movement(h, 1, backordered=1), h.place),
    "backordered as ordered": lambda h: (
        insert(Backorder).values(
            order_id=h.order.id,
            delivery_line_id=h.uncounted.id,
            variant_id=h.variant.id,
            warehouse_id=h.uncounted.warehouse_id,
            quantity=1,
        ),
        h.place,
    ),
    "backordered no more than is to be packed": lambda h: (
        update(DeliveryLine).where(DeliveryLine.id == h.waiting.id).values(packed=3),
        f"delivery line {h.waiting.id}",
    ),
    "moved where there is a level": lambda h: (
        insert_movement(h, h.empty, on_hand=1),
        f"variant {h.variant.id} in warehouse {h.empty}",
    ),
    "shipped as parcels have left": lambda h: (
        insert_shipping_swap(h),
        f"{h.returned.number}, {h.place}",
    ),
    "reserved as ordered": lambda h: (
        update(DeliveryLine)
        .where(
            DeliveryLine.order_line_id.in_(
                select(OrderLine.id).where(OrderLine.order_id == h.order.id, OrderLine.position == 1)
            )
        )
        .values(reserved=False),
        h.place,
    ),
    "cash in hand as posted": lambda h: (
        increment(CourierCashMovement.amount, is_collected(h)),
        select(Posting.key).where(
            Posting.id.in_(select(CourierCashMovement.posting_id).where(is_collected(h)))
        ),
    ),
    "no cash in nobody's hands": lambda h: (
        update(LedgerEntry)
        .where(LedgerEntry.order_id == h.carried.id, LedgerEntry.account == LedgerAccount.TILL)
        .values(account=LedgerAccount.CASH),
        h.carried.number,
    ),
    "cash in the hands of who has brought the parcels": lambda h: (
        update(CourierCashMovement).where(is_collected(h)).values(delivery_run_id=h.wrong.delivery_run_id),
        select(Posting.key).where(
            Posting.id.in_(select(CourierCashMovement.posting_id).where(is_collected(h)))
        ),
    ),
    "runs with cash in hand as moved": lambda h: (
        update(DeliveryRun).where(DeliveryRun.id == h.held.run.id).values(cash_held_since=None),
        f"delivery run {h.held.run.id}",
    ),
    "runs have couriers, or are drafts that end": lambda h: (
        update(DeliveryRun).where(DeliveryRun.id == h.held.run.id).values(draft_until=NOW),
        f"delivery run {h.held.run.id}",
    ),
    "nothing waits on runs that have ended": lambda h: (
        update(DeliveryRunStop)
        .where(DeliveryRunStop.delivery_run_id == h.held.run.id)
        .values(outcome=None, completed_at=None),
        f"delivery run {h.held.run.id}",
    ),
    "parcels of runs under way have left": lambda h: (
        update(Shipment)
        .where(Shipment.id.in_(select(DeliveryRunStop.shipment_id).where(is_stop_of(h.driven))))
        .values(carrier=SIMULATED_CARRIER),
        f"delivery run {h.driven.id}",
    ),
    "runs have couriers who may drive, or are tasks": lambda h: (
        update(Account).where(Account.id == h.driven.courier_id).values(role=Role.CATALOGUE),
        f"delivery run {h.driven.id}",
    ),
    "stops end as their parcels": lambda h: (
        update(DeliveryRunStop)
        .where(DeliveryRunStop.shipment_id == h.held.shipments[0].id)
        .values(outcome=StopOutcome.FAILED),
        f"delivery run {h.held.run.id}, parcel {h.held.shipments[0].number}",
    ),
    "positions of couriers are forgotten everywhere": lambda h: (
        update(TrackingEvent)
        .where(TrackingEvent.shipment_id == h.held.shipments[0].id, TrackingEvent.code.startswith("OWN-"))
        .values(latitude=30.0, longitude=120.0),
        f"delivery run {h.held.run.id}",
    ),
    "proofs and positions of what was driven": lambda h: (
        update(DeliveryRun)
        .where(DeliveryRun.id == h.held.run.id)
        .values(started_at=None, latitude=30.0, longitude=120.0, position_at=NOW),
        f"delivery run {h.held.run.id}",
    ),
    "counts of cash as posted": lambda h: (
        update(LedgerEntry)
        .where(LedgerEntry.account == LedgerAccount.TILL, LedgerEntry.order_id.is_(None))
        .where(LedgerEntry.amount == h.wrong.counted_amount)
        .values(account=LedgerAccount.BANK),
        f"count {h.wrong.id}",
    ),
    "corrections are of the same cash": lambda h: (
        increment(CashHandIn.expected_amount, CashHandIn.id == h.correction.id),
        f"count {h.correction.id}",
    ),
    "differences of cash as accepted": lambda h: (
        update(CashHandIn)
        .where(CashHandIn.id == h.correction.id)
        .values(resolved_at=NOW, resolved_by=h.correction.received_by),
        f"count {h.correction.id}",
    ),
    "promotions give what orders save": lambda h: (
        increment(
            PromotionUse.amount, PromotionUse.order_id == h.order.id, PromotionUse.promotion_id == h.coupon.id
        ),
        h.order.number,
    ),
    "promotions used as counted": lambda h: (
        increment(Promotion.used, Promotion.id == h.coupon.id),
        f"promotion {h.coupon.id}",
    ),
    "promotions of a customer as counted": lambda h: (
        increment(
            PromotionBuyer.flash_units,
            PromotionBuyer.promotion_id == h.sale.id,
            PromotionBuyer.account_id == h.order.account_id,
        ),
        f"promotion {h.sale.id} of account {h.order.account_id}",
    ),
    "flash sales sold as counted": lambda h: (
        increment(Promotion.sold, Promotion.id == h.sale.id),
        f"promotion {h.sale.id}",
    ),
    "certificates are of passed attempts": lambda h: (
        update(Certificate).where(Certificate.id == h.certificate.id).values(attempt_id=h.failed.id),
        f"certificate {h.certificate.id}",
    ),
    "passed attempts brought certificates": lambda h: (
        update(QuizAttempt).where(QuizAttempt.id == h.failed.id).values(status=QuizAttemptStatus.PASSED),
        f"attempt {h.failed.id}",
    ),
    "credit is what answers give": lambda h: (
        update(QuizOption).where(QuizOption.text == "Books").values(is_correct=True),
        f"attempt {h.certificate.attempt_id} question 2",
    ),
    "scores are what credit gives": lambda h: (
        increment(QuizAttempt.score, QuizAttempt.id == h.certificate.attempt_id),
        f"attempt {h.certificate.attempt_id}",
    ),
    "no certificate of withdrawn courses counts": lambda h: (
        update(Course).where(Course.id == h.certificate.course_id).values(status=CourseStatus.WITHDRAWN),
        f"certificate {h.certificate.id}",
    ),
    "attempts and certificates end in time": lambda h: (
        update(QuizAttempt).where(QuizAttempt.id == h.failed.id).values(status=QuizAttemptStatus.OPEN),
        f"attempt {h.failed.id}",
    ),
    "what has changed is asked again": lambda h: (
        update(Article).values(substance_changed_at=NOW - timedelta(days=5)),
        f"certificate {h.certificate.id}",
    ),
    "articles show their published version": lambda h: (
        update(Article).where(Article.id == h.article.id).values(title="Another one"),
        f"article {h.article.slug}",
    ),
    "versions of articles without a gap": lambda h: (
        update(ArticleVersion)
        .where(ArticleVersion.article_id == h.article.id, ArticleVersion.version == 2)
        .values(version=9),
        f"article {h.article.slug}",
    ),
    "drafts are newer than what is published": lambda h: (
        increment(Article.published_version, Article.id == h.article.id),
        f"article {h.article.slug}",
    ),
    "published articles were published": lambda h: (
        update(Article).where(Article.id == h.article.id).values(published_at=None),
        f"article {h.article.slug}",
    ),
    "one translation into each language": lambda h: (
        update(Article).where(Article.original_id == h.article.id).values(language=h.article.language),
        "article audited-zh",
    ),
    "articles have helped as rated": lambda h: (
        increment(Article.helpful, Article.id == h.article.id),
        f"article {h.article.slug}",
    ),
    "articles save tickets of those who read them": lambda h: (
        increment(ArticleDay.deflected, ArticleDay.article_id == h.article.id),
        f"article {h.article.slug}",
    ),
    "readings are counted and forgotten": lambda h: (
        update(ArticleRead)
        .where(ArticleRead.article_id == h.article.id)
        .values(read_at=NOW - timedelta(days=5)),
        f"article {h.article.slug}",
    ),
    "nothing personal of erased accounts": lambda h: (
        update(Account).where(Account.id == h.order.account_id).values(erased_at=NOW),
        f"account {h.order.account_id}",
    ),
}


ALSO_FOUND = {
    "returns are inspected to the last unit": ["what is accepted of returns is in the stock"],
    "what is overdue waits for the shop": ["nothing is due of tickets that have ended"],
    "no ticket open on ended orders": ["tickets came back as recorded"],
    "estimates are within their range": ["nothing is expected of parcels that have ended"],
    "late and silent parcels have tasks": ["nothing is expected of parcels that have ended"],
    "captured as posted": ["money of attempts is known"],
    "no units to pack on ended orders": ["packed as in parcels"],
    "backordered no more than is to be packed": ["packed as in parcels"],
    "no parcel under way on ended orders": [
        "fulfilment as the parcels say",
        "parcels are where it was reported",
        "parcels have arrived when it was reported",
    ],
    "bonuses come with their refunds": [
        "bonuses are no more than was promised",
        "tickets bring the bonus they say",
        "bonuses of an order are within its cap",
    ],
    "no more of a bonus is taken back than came": ["store credit as posted", "bonuses as posted"],
    "bonuses of an order are within its cap": ["bonuses are no more than was promised"],
    "completed orders have arrived": ["fulfilment as the parcels say"],
    "cash in the hands of who has brought the parcels": ["runs with cash in hand as moved"],
    "surcharges were paid": ["reductions were refunded"],
    "differences are what is paid for them": ["surcharges were paid", "paid differences are sent"],
    "paid differences are sent": ["surcharges were paid", "differences are what is paid for them"],
    "claimed no more than was sent": ["tickets are about units of parcels"],
    "certificates are of passed attempts": ["passed attempts brought certificates"],
    "passed attempts brought certificates": ["scores are what credit gives"],
    "drafts are newer than what is published": ["articles show their published version"],
    "what waits for the shop falls due": ["questions are served in time"],
}
"""Other rules that find the same tampering."""


PARTS = 4
"""Of the rules; each is tried on one history, so that it is built rarely and processes share the work."""


def test_every_rule_has_a_case_of_tampering() -> None:
    assert RULES.keys() == TAMPERED.keys()


async def test_untouched_books_agree(shop: Shop, session: AsyncSession) -> None:
    await build_history(session)
    assert await audit_books(session) == []
    assert await find_first_disagreement(session) is None
    await session.commit()


@pytest.mark.parametrize("part", range(PARTS))
async def test_the_audit_names_the_rule_and_the_row_of_a_tampered_book(
    shop: Shop, session: AsyncSession, part: int
) -> None:
    history = await build_history(session)
    await session.flush()

    seen = {rule: await tamper(session, *TAMPERED[rule](history)) for rule in list(RULES)[part::PARTS]}

    for rule, (named, broken, found) in seen.items():
        expected = [each for each in RULES if each == rule or each in ALSO_FOUND.get(rule, ())]
        assert (rule, list(broken)) == (rule, expected)
        assert [(each.rule, each.row) for each in found if each.rule == rule] == [(rule, named)]
        assert all(each.expected != each.found for each in found)
    await session.rollback()


async def test_the_audit_names_what_goes_on_as_a_question_about_no_order_and_is_about_one(
    shop: Shop, session: AsyncSession
) -> None:
    history = await build_history(session)
    await session.execute(
        insert_question(history, order_id=None, status=TicketStatus.COMPLETED, closed_at=NOW, resolved_at=NOW)
    )
    assert await audit_books(session) == []
    which = Ticket.order_id == history.returned.id
    split_from = select(Ticket.id).where(Ticket.number == "Q1").scalar_subquery()

    number, broken, _ = await tamper(
        session,
        update(Ticket).where(which).values(split_from_id=split_from),
        select(Ticket.number).where(which),
    )

    assert list(broken) == ["duplicates go on as tickets of their order"]
    assert number
    await session.rollback()


async def tamper(
    session: AsyncSession, tampering: Update | Insert, row: Any
) -> tuple[str, Sequence[str], Sequence[Disagreement]]:
    """The name of a tampered row, the rules that are broken then, and their rows; all is undone again."""
    named = row if isinstance(row, str) else await session.scalar(row)
    nested = await session.begin_nested()
    changed = await session.execute(tampering.execution_options(synchronize_session=False))
    assert changed.rowcount > 0  # type: ignore[attr-defined]
    broken = (await session.scalars(select_broken_rules())).all()
    found = [each async for each in find_disagreements(session, broken)]
    await nested.rollback()
    return named, broken, found


async def test_the_first_disagreement_is_the_first_row_of_the_first_rule(
    shop: Shop, session: AsyncSession
) -> None:
    await build_history(session)
    await session.flush()
    taken = Payment.captured_amount > Payment.refunded_amount
    for wrong in (
        update(Order).values(payment_status=OrderPaymentStatus.UNPAID),
        update(Payment)
        .where(Payment.captured_amount > 0)
        .values(captured_amount=Payment.captured_amount - 1),
    ):
        await session.execute(wrong.execution_options(synchronize_session=False))
    first = (await session.scalars(select(Payment).where(taken).order_by(Payment.reference))).all()[0]
    await session.refresh(first)

    found = await find_first_disagreement(session)
    await session.commit()

    assert found == Disagreement(
        "captured as posted", first.reference, str(first.captured_amount + 1), str(first.captured_amount)
    )
    assert str(found) == (
        f"captured as posted: {first.reference}:"
        f" expected {first.captured_amount + 1}, found {first.captured_amount}"
    )


async def test_the_database_and_the_shop_derive_the_same_payment_status(shop: Shop) -> None:
    amounts = (0, 1, 99, 100, 101)
    async with shop.database.reads() as session:
        for total, cancelled, taken, returned in product(amounts, (0, 1), amounts, amounts):
            follows = payment_status_expression(
                total=literal(total),
                cancelled=literal(cancelled),
                captured=literal(taken),
                refunded=literal(returned),
            )
            word = await session.scalar(select(follows))
            assert word is payment_status_for(
                total=total, cancelled=cancelled, captured=taken, refunded=returned
            )


async def test_the_audit_sees_one_moment_while_the_shop_sells(shop: Shop, session: AsyncSession) -> None:
    await build_history(session)
    variant = await a_variant(session, stock={"MAIN": 1_000})
    await session.commit()
    newest = select(Order.id).order_by(Order.id.desc()).limit(1)
    over = asyncio.Event()

    async def sell() -> int:
        sold = 0
        while not over.is_set():
            async with shop.database.writes.begin() as session:
                order = await create_order(session, lines=[(variant, 1)])
                await pay(session, order)
            sold += 1
        return sold

    async with shop.database.snapshot() as session:
        seen = await session.scalar(newest)
        selling = [asyncio.create_task(sell()) for _ in range(2)]
        for _ in range(3):
            assert await audit_books(session) == []
        over.set()
        assert sum(await asyncio.gather(*selling)) >= 2
        assert await audit_books(session) == []
        assert await session.scalar(newest) == seen

    async with shop.database.snapshot() as session:
        assert await audit_books(session) == []
        assert await session.scalar(newest) != seen


COUNTED: tuple[AnyAttribute, ...] = (
    Order.subtotal_amount,
    Order.discount_amount,
    Order.shipping_amount,
    Order.cancelled_amount,
    Order.cancelled_shipping_amount,
    Order.extra_amount,
    Order.credited_amount,
    Order.total_amount,
    Order.version,
    OrderLine.unit_amount,
    OrderLine.quantity,
    OrderLine.discount_amount,
    OrderLine.cancelled,
    OrderLine.cancelled_amount,
    Delivery.fee_amount,
    Delivery.discount_amount,
    DeliveryLine.quantity,
    DeliveryLine.packed,
    DeliveryLine.ended,
    DeliveryLine.reduction_amount,
    DeliveryLine.replaced_reduction_amount,
    Payment.amount,
    Payment.captured_amount,
    Payment.refunded_amount,
    Refund.amount,
    Refund.bonus_amount,
    Shipment.cash_amount,
    ShipmentLine.quantity,
    Ticket.refund_amount,
    Ticket.bonus_amount,
    StoreCreditMovement.amount,
    TicketLine.quantity,
    TicketLine.refund_amount,
    TicketLine.difference_amount,
    TicketLine.surcharge_amount,
    TicketUnits.quantity,
    ReturnInspection.quantity,
    ReturnInspection.kept,
    ReturnInspection.lost,
    LedgerEntry.amount,
    StockLevel.on_hand,
    StockLevel.reserved,
    StockLevel.damaged,
    StockLevel.backordered,
    StockMovement.on_hand,
    StockMovement.reserved,
    StockMovement.damaged,
    StockMovement.backordered,
    Backorder.quantity,
    Promotion.sold,
    Promotion.used,
    PromotionUse.amount,
    PromotionUse.flash_units,
    PromotionBuyer.uses,
    PromotionBuyer.flash_units,
    CourierCashMovement.amount,
    CashHandIn.expected_amount,
    CashHandIn.counted_amount,
    QuizQuestion.points,
    QuizAnswer.credit,
    QuizAttempt.score,
    QuizAttempt.best_score,
)
"""Amounts and units that are kept in more than one book."""


async def test_no_amount_and_no_count_changes_by_one_unseen(shop: Shop, session: AsyncSession) -> None:
    await build_history(session)
    await session.flush()

    unseen = {str(column) for column in COUNTED if not await is_change_seen(session, column)}

    assert unseen == set()


async def is_change_seen(session: AsyncSession, column: AnyAttribute) -> bool:
    """Whether the database refuses one more in each row of a column, or the audit finds it in any of them."""
    table = column.class_.__table__
    key = list(table.primary_key.columns)
    rows = (await session.execute(select(*key).where(column.is_not(None)))).all()
    refused = 0
    for row in rows:
        which = [part == value for part, value in zip(key, row, strict=True)]
        nested = await session.begin_nested()
        try:
            await session.execute(update(table).where(*which).values({column.name: column + 1}))
            found = (await session.scalars(select_broken_rules().limit(1))).first()
        except DBAPIError:
            refused += 1
            found = None
        await nested.rollback()
        if found:
            return True
    return refused == len(rows) > 0


async def test_no_order_reads_another_fulfilment_or_payment_status_unseen(
    shop: Shop, session: AsyncSession
) -> None:
    history = await build_history(session)
    await session.flush()
    seen: list[str] = []
    right = history.order.fulfilment_status, history.order.payment_status
    others: list[dict[str, StrEnum]] = [{"fulfilment_status": status} for status in FulfilmentStatus]
    others += [{"payment_status": status} for status in OrderPaymentStatus]
    for other in others:
        if set(other.values()) <= set(right):
            continue
        nested = await session.begin_nested()
        which = update(Order).where(Order.id == history.order.id)
        await session.execute(which.values(other).execution_options(synchronize_session=False))
        seen += (await session.scalars(select_broken_rules())).all()
        await nested.rollback()

    found = [
        seen.count(f"{status} say") for status in ("fulfilment as the parcels", "payment status as the books")
    ]
    assert found == [6, 4]


async def test_the_database_and_the_shop_derive_the_same_fulfilment(shop: Shop) -> None:
    """Of up to two parcels in every state that counts, for orders of up to four units."""
    left, pending, arrived = NOW, ShipmentStatus.PENDING, ShipmentStatus.DELIVERED
    kinds = [
        PackedParcel(units, dispatched, status, None, ending)
        for units in (1, 2)
        for dispatched, status, ending in (
            (None, pending, None),
            (None, pending, ShipmentEnding.CANCELLED),
            (left, ShipmentStatus.IN_TRANSIT, None),
            (left, arrived, None),
            (left, ShipmentStatus.RETURNED, None),
            (left, ShipmentStatus.RETURNED, ShipmentEnding.WITHDRAWN),
            (left, ShipmentStatus.EXPIRED, ShipmentEnding.CLAIMED),
        )
    ]
    cases = [
        (ordered, list(parcels), replaced)
        for count in range(3)
        for parcels in combinations_with_replacement(kinds, count)
        for ordered in range(5)
        for replaced in range(3)
    ]
    async with shop.database.reads() as session:
        for batch in in_batches(cases, 100):
            columns = [
                fulfilment_expression(sums_of(ordered, parcels), replaced=literal(replaced)).label(
                    f"c{index}"
                )
                for index, (ordered, parcels, replaced) in enumerate(batch)
            ]
            row = (await session.execute(select(*columns))).one()
            assert list(row) == [
                fulfilment_of(ordered, parcels, replaced=replaced) for ordered, parcels, replaced in batch
            ]


def sums_of(ordered: int, parcels: Sequence[PackedParcel]) -> ParcelSums:
    def units(*conditions: Callable[[PackedParcel], bool]) -> ColumnElement[int]:
        return literal(sum(each.units for each in parcels if all(holds(each) for holds in conditions)))

    def is_live(each: PackedParcel) -> bool:
        return each.ending is None

    def is_kept(each: PackedParcel) -> bool:
        return each.ending is not ShipmentEnding.WITHDRAWN

    def has_left(each: PackedParcel) -> bool:
        return each.dispatched_at is not None

    return ParcelSums(
        parcels=units(),
        ordered=literal(ordered),
        kept=units(is_kept),
        left=units(is_kept, has_left),
        shipped=units(is_live, has_left),
        delivered=units(is_live, lambda each: each.status is ShipmentStatus.DELIVERED),
        returned=units(is_live, lambda each: each.status is ShipmentStatus.RETURNED),
    )
