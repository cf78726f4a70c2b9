"""Store credit of customers, by gift cards."""

from datetime import datetime, timedelta
from itertools import count

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.store_credit import issue_gift_card, redeem_gift_card
from models import Account, CurrencyCode, GiftCard, Money
from tests.factories.order import NOW

CODES = count(1)


async def create_gift_card(
    session: AsyncSession,
    amount: int = 10_000,
    *,
    currency: CurrencyCode = CurrencyCode.CNY,
    lasts: timedelta = timedelta(days=365),
    now: datetime = NOW,
) -> GiftCard:
    """A gift card over so many minor units; the hash of its code is its `code_hash`."""
    return await issue_gift_card(
        session,
        Money(amount, currency),
        code_hash=f"hash-{next(CODES)}",
        last_characters="test",
        reason="An apology.",
        expires_at=now + lasts,
        cause=Cause(now),
    )


async def give_credit(session: AsyncSession, account: Account, amount: int) -> None:
    """Store credit in CNY, by a gift card that the customer redeems."""
    card = await create_gift_card(session, amount)
    await redeem_gift_card(session, account.id, card.code_hash, cause=Cause(NOW, account.id))
