"""The tables of transitions; every pair of every table is tried."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest

import domain.aftersales.states
import domain.cart
import domain.catalog.product.prices
import domain.catalog.product.writing
import domain.delivery_run
import domain.knowledge
import domain.notice
import domain.order
import domain.payment
import domain.pickup
import domain.shipment
import domain.training.attempts
import domain.training.certificates
import domain.training.course
from domain.errors import WrongState
from domain.shipment.open_parcels import OPEN_PARCEL_TRANSITIONS
from domain.shipment.waves import PART_TRANSITIONS, WAVE_TRANSITIONS
from domain.shipment.waybills import WAYBILL_TRANSITIONS
from domain.state import Transitions, move, transition_table
from domain.store_credit.states import GIFT_CARD_TRANSITIONS
from models import OrderStatus, PaymentStatus, RefundStatus

TABLES: list[Transitions[Any]] = [
    domain.order.TRANSITIONS,
    domain.order.EDIT_TRANSITIONS,
    domain.payment.TRANSITIONS,
    domain.payment.ATTEMPT_TRANSITIONS,
    domain.payment.REFUND_TRANSITIONS,
    domain.payment.DISPUTE_TRANSITIONS,
    GIFT_CARD_TRANSITIONS,
    domain.shipment.TRANSITIONS,
    WAYBILL_TRANSITIONS,
    WAVE_TRANSITIONS,
    PART_TRANSITIONS,
    OPEN_PARCEL_TRANSITIONS,
    domain.delivery_run.TRANSITIONS,
    domain.catalog.product.writing.TRANSITIONS,
    domain.catalog.product.prices.TRANSITIONS,
    domain.cart.TRANSITIONS,
    domain.knowledge.TRANSITIONS,
    domain.aftersales.states.TRANSITIONS,
    domain.notice.TRANSITIONS,
    domain.pickup.TRANSITIONS,
    domain.training.course.TRANSITIONS,
    domain.training.attempts.TRANSITIONS,
    domain.training.certificates.TRANSITIONS,
]
PAIRS = [(rules, start, to) for rules in TABLES for start in rules for to in rules]


@dataclass
class Row:
    status: Any


def name_of(value: object) -> str | None:
    return f"{type(value).__name__}.{value}" if isinstance(value, StrEnum) else ""


@pytest.mark.parametrize(("rules", "start", "to"), PAIRS, ids=name_of)
def test_a_status_changes_only_as_its_table_says(
    rules: Transitions[StrEnum], start: StrEnum, to: StrEnum
) -> None:
    row = Row(start)

    if to in rules[start]:
        move(row, to, rules)
        assert row.status is to
    else:
        with pytest.raises(WrongState):
            move(row, to, rules)
        assert row.status is start


def test_an_order_changes_its_status_as_it_should() -> None:
    assert {
        OrderStatus.PENDING: {OrderStatus.CONFIRMED, OrderStatus.CANCELLED},
        OrderStatus.CONFIRMED: {OrderStatus.COMPLETED, OrderStatus.CANCELLED, OrderStatus.CLOSED},
        OrderStatus.COMPLETED: {OrderStatus.CONFIRMED},
        OrderStatus.CANCELLED: set(),
        OrderStatus.CLOSED: set(),
    } == domain.order.TRANSITIONS


def test_a_captured_payment_stays_captured_and_may_be_captured_late() -> None:
    assert domain.payment.TRANSITIONS[PaymentStatus.CAPTURED] == set()
    assert all(
        PaymentStatus.CAPTURED in domain.payment.TRANSITIONS[status]
        for status in PaymentStatus
        if status is not PaymentStatus.CAPTURED
    )
    # a provider may take back what it has said: then the money is owed again
    assert domain.payment.REFUND_TRANSITIONS[RefundStatus.SUCCEEDED] == {RefundStatus.ABNORMAL}


def test_a_table_needs_a_row_for_every_status() -> None:
    with pytest.raises(ValueError, match="no row"):
        transition_table(
            RefundStatus.PENDING, {RefundStatus.PENDING: {RefundStatus.SUCCEEDED, RefundStatus.FAILED}}
        )


def test_every_status_of_a_table_can_be_reached() -> None:
    with pytest.raises(ValueError, match="nothing leads to"):
        transition_table(RefundStatus.PENDING, {status: {RefundStatus.SUCCEEDED} for status in RefundStatus})


def test_a_refusal_names_the_present_status_and_the_one_it_cannot_have() -> None:
    with pytest.raises(WrongState, match=r"^This row is cancelled and cannot become completed\.$"):
        move(Row(OrderStatus.CANCELLED), OrderStatus.COMPLETED, domain.order.TRANSITIONS)
    with pytest.raises(WrongState, match=r"^This row is cancelled already\.$"):
        move(Row(OrderStatus.CANCELLED), OrderStatus.CANCELLED, domain.order.TRANSITIONS)
