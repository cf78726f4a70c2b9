"""One table for each status; every pair of every table is tried."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest

import domain.aftersales.states
import domain.cart
import domain.catalog.prices
import domain.catalog.rows
import domain.knowledge
import domain.order
import domain.payment
import domain.run
import domain.shipment
from domain.errors import WrongState
from domain.state import Transitions, move, table
from models import OrderStatus, PaymentStatus, RefundStatus

TABLES: list[Transitions[Any]] = [
    domain.order.TRANSITIONS,
    domain.payment.TRANSITIONS,
    domain.payment.REFUND_TRANSITIONS,
    domain.shipment.TRANSITIONS,
    domain.run.TRANSITIONS,
    domain.catalog.rows.TRANSITIONS,
    domain.catalog.prices.TRANSITIONS,
    domain.cart.TRANSITIONS,
    domain.knowledge.TRANSITIONS,
    domain.aftersales.states.TRANSITIONS,
]
PAIRS = [(rules, start, to) for rules in TABLES for start in rules for to in rules]


@dataclass
class Thing:
    status: Any


def name_of(value: object) -> str | None:
    return f"{type(value).__name__}.{value}" if isinstance(value, StrEnum) else ""


@pytest.mark.parametrize(("rules", "start", "to"), PAIRS, ids=name_of)
def test_a_status_changes_only_as_its_table_says(
    rules: Transitions[StrEnum], start: StrEnum, to: StrEnum
) -> None:
    thing = Thing(start)

    if to in rules[start]:
        move(thing, to, rules)
        assert thing.status is to
    else:
        with pytest.raises(WrongState):
            move(thing, to, rules)
        assert thing.status is start


def test_what_may_become_of_an_order() -> None:
    assert {
        OrderStatus.PENDING: {OrderStatus.CONFIRMED, OrderStatus.CANCELLED},
        OrderStatus.CONFIRMED: {OrderStatus.COMPLETED, OrderStatus.CANCELLED, OrderStatus.CLOSED},
        OrderStatus.COMPLETED: {OrderStatus.CLOSED},
        OrderStatus.CANCELLED: set(),
        OrderStatus.CLOSED: set(),
    } == domain.order.TRANSITIONS


def test_money_that_is_here_stays_here_and_may_come_late() -> None:
    assert domain.payment.TRANSITIONS[PaymentStatus.CAPTURED] == set()
    assert all(
        PaymentStatus.CAPTURED in domain.payment.TRANSITIONS[status]
        for status in PaymentStatus
        if status is not PaymentStatus.CAPTURED
    )
    assert domain.payment.REFUND_TRANSITIONS[RefundStatus.SUCCEEDED] == set()


def test_a_table_needs_a_row_for_every_status() -> None:
    with pytest.raises(ValueError, match="no row"):
        table(RefundStatus.PENDING, {RefundStatus.PENDING: {RefundStatus.SUCCEEDED, RefundStatus.FAILED}})


def test_every_status_of_a_table_can_be_reached() -> None:
    with pytest.raises(ValueError, match="nothing leads to"):
        table(RefundStatus.PENDING, {status: {RefundStatus.SUCCEEDED} for status in RefundStatus})


def test_a_refusal_says_what_it_is_and_what_it_cannot_become() -> None:
    with pytest.raises(WrongState, match=r"^This thing is cancelled and cannot become completed\.$"):
        move(Thing(OrderStatus.CANCELLED), OrderStatus.COMPLETED, domain.order.TRANSITIONS)
    with pytest.raises(WrongState, match=r"^This thing is cancelled already\.$"):
        move(Thing(OrderStatus.CANCELLED), OrderStatus.CANCELLED, domain.order.TRANSITIONS)
