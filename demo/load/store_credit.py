"""Loading gift cards: one for whoever redeems it, one that is redeemed, and one that was withdrawn."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from demo.content import Content
from domain.cause import Cause
from domain.store_credit import issue_gift_card, redeem_gift_card, void_gift_card
from events.shop import Shop
from gateways.secrets import fingerprint_of
from models import Account, CurrencyCode, GiftCard, Money, Role

GIFT_CODE = "demo-gift-card-2345"
"""The code of the card that nobody has redeemed, for trying it out."""
RECIPIENT = 2
"""Which customer has store credit, as an index."""
LASTS = timedelta(days=365)


async def load_gift_cards(shop: Shop, content: Content) -> None:
    async with shop.database.writes.begin() as session:
        people = select(Account.id).order_by(Account.id)
        manager = (await session.scalars(people.where(Account.role == Role.MANAGER))).first()
        customers = (await session.scalars(people.where(Account.role == Role.CUSTOMER))).all()
        cause = Cause(shop.clock(), manager)
        await issue(session, GIFT_CODE, 200_00, "新店体验礼品卡", cause=cause)
        redeemed = await issue(session, shop.secrets.new_token(), 88_00, "包装破损的补偿", cause=cause)
        redeeming = Cause(shop.clock(), customers[RECIPIENT])
        await redeem_gift_card(session, customers[RECIPIENT], redeemed.code_hash, cause=redeeming)
        withdrawn = await issue(session, shop.secrets.new_token(), 50_00, "活动奖品", cause=cause)
        await void_gift_card(session, withdrawn.id, reason="活动取消", cause=cause)


async def issue(session: AsyncSession, code: str, amount: int, reason: str, *, cause: Cause) -> GiftCard:
    return await issue_gift_card(
        session,
        Money(amount, CurrencyCode.CNY),
        code_hash=fingerprint_of(code),
        last_characters=code[-4:],
        reason=reason,
        expires_at=cause.now + LASTS,
        cause=cause,
    )
