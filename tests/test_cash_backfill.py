"""What a shop of the last version has collected in cash is in the right hands after its upgrade."""

from importlib import import_module

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.audit import audit_books
from domain.cause import Cause
from domain.payment import collect_cash
from models import (
    CashHandIn,
    CourierCashMovement,
    CurrencyCode,
    DeliveryRun,
    DeliveryRunStatus,
    LedgerAccount,
    LedgerEntry,
    Posting,
    PostingKind,
    Role,
)
from tests.factories.account import create_account
from tests.factories.cash import drive_cash_run
from tests.factories.order import CASH, NOW, arrive, create_order, dispatch, payments_of

MIGRATION = import_module("migrations.versions.0048_cash_in_hand")


async def forget_hands(session: AsyncSession) -> None:
    """Make the books as the last version wrote them: all cash in one account, in nobody's hands."""
    await session.execute(delete(CourierCashMovement))
    await session.execute(update(DeliveryRun).values(cash_held_since=None))
    collected = select(Posting.id).where(Posting.kind == PostingKind.CASH_COLLECTED)
    await session.execute(
        update(LedgerEntry)
        .where(LedgerEntry.posting_id.in_(collected), LedgerEntry.account == LedgerAccount.TILL)
        .values(account=LedgerAccount.CASH)
    )


async def test_cash_that_was_collected_before_the_upgrade_is_handed_in_or_in_hand(
    session: AsyncSession,
) -> None:
    couriers = [await create_account(session, role=Role.COURIER) for _ in range(2)]
    ended = await drive_cash_run(session, couriers[0], CurrencyCode.CNY, CurrencyCode.CNY, CurrencyCode.USD)
    under_way = (await drive_cash_run(session, couriers[1])).run
    await session.execute(
        update(DeliveryRun).where(DeliveryRun.id == under_way.id).values(status=DeliveryRunStatus.ACTIVE)
    )
    carried = await create_order(session, payments={CASH: None})
    [parcel] = await dispatch(session, carried)
    await arrive(session, parcel)
    [payment] = await payments_of(session, carried)
    await collect_cash(session, payment.id, payment.total, cause=Cause(NOW))
    await forget_hands(session)
    assert {each.rule for each in await audit_books(session)} == {"no cash in nobody's hands"}

    for statement in MIGRATION.BACKFILL:
        await session.execute(text(statement))

    assert await audit_books(session) == []
    held = await session.scalars(
        select(DeliveryRun.cash_held_since)
        .where(DeliveryRun.id.in_([ended.run.id, under_way.id]))
        .order_by(DeliveryRun.id)
    )
    assert held.all() == [None, NOW]
    counts = await session.scalars(select(CashHandIn).order_by(CashHandIn.currency))
    assert [(each.delivery_run_id, str(each.expected), str(each.counted)) for each in counts] == [
        (ended.run.id, "198.00 CNY", "198.00 CNY"),
        (ended.run.id, "99.00 USD", "99.00 USD"),
    ]
    balances = await session.execute(
        select(LedgerEntry.account, LedgerEntry.currency, func.sum(LedgerEntry.amount))
        .where(LedgerEntry.account.in_([LedgerAccount.CASH, LedgerAccount.TILL]))
        .group_by(LedgerEntry.account, LedgerEntry.currency)
        .having(func.sum(LedgerEntry.amount) != 0)
    )
    assert {(account, currency.value, int(total)) for account, currency, total in balances} == {
        (LedgerAccount.CASH, "CNY", 9_900),
        (LedgerAccount.TILL, "CNY", 29_700),
        (LedgerAccount.TILL, "USD", 9_900),
    }
    await session.commit()
