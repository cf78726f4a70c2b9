"""Loading rules of cash on delivery, what couriers have in hand, and what was counted of it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import ClassVar

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from loaders.base import ByKey, Grouped, ManyByKey, loader
from loaders.page import Key, Sort
from models import CashHandIn, CashRule, CourierCashMovement, DeliveryRun, Money
from models.database import Reads
from models.sql.types import AnyColumn, AnySelect

OLDEST_HAND_IN = Sort("oldest", (Key(CashHandIn.id),))


async def load_cash_rules(reads: Reads) -> Sequence[CashRule]:
    """All rules of cash at the door, by country, province and currency."""
    order = (CashRule.country_code, CashRule.province, CashRule.currency)
    async with reads() as session:
        return (await session.scalars(select(CashRule).order_by(*order))).all()


def select_hand_ins(*, resolved: bool | None = None) -> AnySelect:
    """Select counts of cash: all, those of which no difference is open, or those of which one is."""
    statement = select(CashHandIn)
    if resolved is None:
        return statement
    resolved_at = CashHandIn.resolved_at
    return statement.where(resolved_at.is_not(None) if resolved else resolved_at.is_(None))


class HandInById(ByKey[int, CashHandIn]):
    key = CashHandIn.id


class HandInsByDeliveryRun(ManyByKey[int, CashHandIn]):
    key = CashHandIn.delivery_run_id
    order_by = CashHandIn.id


class CashInHand(Grouped[int, Sequence[Money]]):
    """Cash that was collected and not handed in: one amount for each currency of which there is some."""

    key: ClassVar[AnyColumn]

    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, Sequence[Money]]:
        key, movement = type(self).key, CourierCashMovement
        in_hand = func.sum(movement.amount)
        rows = await session.execute(
            select(key, movement.currency, in_hand)
            .select_from(movement)
            .join(DeliveryRun, DeliveryRun.id == movement.delivery_run_id)
            .where(key.in_(keys), DeliveryRun.cash_held_since.is_not(None))
            .group_by(key, movement.currency)
            .having(in_hand != 0)
            .order_by(movement.currency)
        )
        found: defaultdict[int, list[Money]] = defaultdict(list)
        for parent_id, currency, amount in rows:
            found[parent_id].append(Money(int(amount), currency))
        return found

    def default(self) -> Sequence[Money]:
        return ()


class CashByDeliveryRun(CashInHand):
    key = DeliveryRun.id


class CashByCourier(CashInHand):
    key = DeliveryRun.courier_id


class CashLoaders:
    cash_hand_in = loader(HandInById)
    delivery_run_hand_ins = loader(HandInsByDeliveryRun)
    delivery_run_cash = loader(CashByDeliveryRun)
    courier_cash = loader(CashByCourier)
