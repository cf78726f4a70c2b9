"""What may happen to a pickup, in every state it can be in."""

from collections.abc import Mapping

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.pickup import (
    TRIES_LIMIT,
    cancel_pickup,
    end_overdue_pickup,
    hand_over_pickup,
    renew_pickup_code,
)
from domain.pickup.collecting import make_pickup_ready
from events.shop import Shop
from models import Pickup, PickupStatus
from tests.domain.states.outcomes import LATER, Command, check_outcomes, documented_outcomes
from tests.factories.order import COLLECT_WITHIN, NOW, RECEIPT_AFTER, a_variant
from tests.factories.pickup import create_collected_order, create_pickup_place, make_ready, pickup_of

CAUSE = Cause(NOW)


async def pickup_in_state(session: AsyncSession, state: str) -> Pickup:
    place = await create_pickup_place(session)
    _, delivery = await create_collected_order(session, await a_variant(session, stock={"SHOP": 5}), place)
    pickup = await pickup_of(session, delivery)
    if state in {"READY", "COLLECTED"}:
        await make_ready(session, delivery)
    if state == "COLLECTED":
        await hand_over(session, pickup)
    if state == "ENDED":
        await cancel(session, pickup)
    return pickup


async def hand_over(session: AsyncSession, pickup: Pickup, *, right: bool = True) -> None:
    await hand_over_pickup(
        session,
        pickup.delivery_id,
        place_id=pickup.warehouse_id,
        is_right=lambda _: right,
        cash=None,
        receipt_after=RECEIPT_AFTER,
        cause=CAUSE,
    )


async def give_wrong_code(session: AsyncSession, pickup: Pickup) -> None:
    await hand_over(session, pickup, right=False)


async def give_wrong_code_too_often(session: AsyncSession, pickup: Pickup) -> None:
    for _ in range(TRIES_LIMIT):
        await hand_over(session, pickup, right=False)
    await hand_over(session, pickup)


async def cancel(session: AsyncSession, pickup: Pickup) -> None:
    await cancel_pickup(
        session, pickup.delivery_id, reason="Too far.", receipt_after=RECEIPT_AFTER, cause=CAUSE
    )


async def make_it_ready(session: AsyncSession, pickup: Pickup) -> None:
    await make_pickup_ready(
        session,
        pickup.delivery_id,
        nonce="other",
        collect_within=COLLECT_WITHIN,
        receipt_after=RECEIPT_AFTER,
        cause=CAUSE,
    )


PICKUP: Mapping[str, Command] = {
    "staff make it ready": make_it_ready,
    "it is handed over by the right code": hand_over,
    "a wrong code is given": give_wrong_code,
    "a wrong code is given once too often": give_wrong_code_too_often,
    "the customer asks for another code": lambda session, it: renew_pickup_code(
        session, it.delivery_id, nonce="new", cause=CAUSE
    ),
    "the customer cancels it": cancel,
    "the deadline passes": lambda session, it: end_overdue_pickup(
        session, it.delivery_id, receipt_after=RECEIPT_AFTER, cause=Cause(LATER)
    ),
}


@pytest.mark.parametrize("state", documented_outcomes("Pickups"))
async def test_what_may_happen_to_a_pickup(shop: Shop, state: str) -> None:
    await check_outcomes(shop, "Pickups", state, pickup_in_state, PICKUP)


def test_every_status_of_a_pickup_is_drawn() -> None:
    assert set(documented_outcomes("Pickups")) == {status.value for status in PickupStatus}
