"""Balances of store credit: sums of movements that are never edited, spent under the lock of their row."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import Invalid, Path
from domain.ledger import NewPosting, write_posting, write_postings
from models import (
    Account,
    CurrencyCode,
    Money,
    Order,
    Payment,
    PostingKind,
    Refund,
    RefundTarget,
    Role,
    StoreCredit,
    StoreCreditKind,
    StoreCreditMovement,
)
from models.sql.types import AnySelect
from models.sql.upsert import upsert_into

Holder = tuple[int, CurrencyCode]
"""An account and a currency."""


@dataclass(frozen=True, slots=True)
class CreditPayment:
    """A payment of a new order that is made with store credit."""

    order: Order
    payment: Payment


async def lock_store_credit(session: AsyncSession, account_id: int, currency: CurrencyCode) -> StoreCredit:
    """The store credit of an account in a currency, locked until the transaction ends; made when missing."""
    await session.execute(
        upsert_into(session, StoreCredit)
        .values(account_id=account_id, currency=currency)
        .on_conflict_do_nothing(index_elements=["account_id", "currency"])
    )
    rows = await session.scalars(
        select(StoreCredit)
        .where(StoreCredit.account_id == account_id, StoreCredit.currency == currency)
        .with_for_update()
    )
    return rows.one()


async def lock_balances(session: AsyncSession, holders: Collection[Holder]) -> Mapping[Holder, Money]:
    """The balances of these accounts, locked until the transaction ends: two statements for all."""
    rows = await session.scalars(
        select(StoreCredit)
        .where(StoreCredit.account_id.in_({account_id for account_id, _ in holders}))
        .order_by(StoreCredit.id)  # always in one order, which avoids deadlocks
        .with_for_update()
    )
    credits = {row.id: row for row in rows}
    return {
        (credits[credit_id].account_id, credits[credit_id].currency): credits[credit_id].money(total)
        for credit_id, total in (await sum_movements(session, credits.keys())).items()
    }


async def sum_movements(session: AsyncSession, credit_ids: Collection[int]) -> Mapping[int, int]:
    """The balance in minor units of each store credit that has movements."""
    rows = await session.execute(
        select(StoreCreditMovement.store_credit_id, func.sum(StoreCreditMovement.amount))
        .where(StoreCreditMovement.store_credit_id.in_(credit_ids))
        .group_by(StoreCreditMovement.store_credit_id)
    )
    return {credit_id: int(total) for credit_id, total in rows}


def select_balances() -> AnySelect:
    """Every store credit with its account, its currency and its balance in minor units."""
    return (
        select(
            StoreCredit.id,
            StoreCredit.account_id,
            StoreCredit.currency,
            func.sum(StoreCreditMovement.amount).label("balance"),
        )
        .join(StoreCreditMovement, StoreCreditMovement.store_credit_id == StoreCredit.id)
        .group_by(StoreCredit.id)
    )


async def find_balances(session: AsyncSession, account_id: int) -> list[Money]:
    """What an account has, one amount for each currency of which something is left."""
    rows = await session.execute(
        select_balances().where(StoreCredit.account_id == account_id).order_by(StoreCredit.currency)
    )
    return [Money(int(balance), currency) for _, _, currency, balance in rows if balance]


async def has_store_credit(session: AsyncSession, account_id: int) -> bool:
    """Whether an account can have store credit: a customer's that is not erased; guests have none."""
    found = await session.scalar(
        select(Account.id).where(
            Account.id == account_id,
            Account.role == Role.CUSTOMER,
            Account.erased_at.is_(None),
            Account.erasure_due_at.is_(None),
        )
    )
    return found is not None


async def check_refund_target(
    session: AsyncSession, order: Order, target: RefundTarget, *, field: Path = ("refund_to",)
) -> None:
    """Refuse store credit for an order of somebody who can have none: of a guest."""
    if target is RefundTarget.STORE_CREDIT and not await has_store_credit(session, order.account_id):
        raise Invalid("Only customers with an account have store credit.", field=field)


async def spend_credit(session: AsyncSession, spent: Sequence[CreditPayment], *, now: datetime) -> None:
    """Book payments of new orders out of balances that are locked and were found sufficient."""
    accounts = {each.order.account_id for each in spent}
    rows = await session.scalars(select(StoreCredit).where(StoreCredit.account_id.in_(accounts)))
    credits = {(row.account_id, row.currency): row.id for row in rows}
    await session.execute(
        insert(StoreCreditMovement),
        [
            {
                "store_credit_id": credits[each.order.account_id, each.order.currency],
                "kind": StoreCreditKind.SPENT,
                "currency": each.order.currency,
                "amount": -each.payment.amount,
                "order_id": each.order.id,
                "payment_id": each.payment.id,
                "created_at": now,
            }
            for each in spent
        ],
    )
    postings = [
        NewPosting(
            order_id=each.order.id,
            payment_id=each.payment.id,
            kind=PostingKind.CREDIT_SPENT,
            amount=each.payment.total,
            key=f"taken:{each.payment.reference}",
        )
        for each in spent
    ]
    await write_postings(session, postings, now=now)


async def refund_to_credit(session: AsyncSession, order: Order, refund: Refund, *, now: datetime) -> None:
    """Add a refund of a locked order to the store credit of its customer; its posting is the caller's."""
    credit = await lock_store_credit(session, order.account_id, refund.currency)
    session.add(
        StoreCreditMovement(
            store_credit_id=credit.id,
            kind=StoreCreditKind.REFUNDED,
            currency=refund.currency,
            amount=refund.amount,
            order_id=order.id,
            refund_id=refund.id,
            created_at=now,
        )
    )
    await session.flush()


async def forfeit_credit(session: AsyncSession, account_id: int, *, now: datetime) -> None:
    """Book all store credit of an account out, in every currency."""
    for balance in (await lock_balances_of(session, account_id)).values():
        if balance.minor <= 0:
            continue
        credit = await lock_store_credit(session, account_id, balance.currency)
        movement = StoreCreditMovement(
            store_credit_id=credit.id,
            kind=StoreCreditKind.FORFEITED,
            currency=balance.currency,
            amount=-balance.minor,
            created_at=now,
        )
        session.add(movement)
        await session.flush()
        await write_posting(
            session,
            order_id=None,
            payment_id=None,
            kind=PostingKind.CREDIT_FORFEITED,
            amount=balance,
            key=f"forfeited:{movement.id}",
            now=now,
        )


async def lock_balances_of(session: AsyncSession, account_id: int) -> Mapping[Holder, Money]:
    return await lock_balances(session, [(account_id, currency) for currency in CurrencyCode])
