"""Gift cards: issued by the staff, redeemed once, withdrawn, expired."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain import idempotency
from domain.cause import Cause
from domain.errors import DomainError, ErrorCode, Invalid, LimitReached, NotFound, WrongState
from domain.ledger import write_posting
from domain.state import move
from domain.store_credit.balance import lock_store_credit
from domain.store_credit.states import GIFT_CARD_TRANSITIONS
from models import (
    GiftCard,
    GiftCardStatus,
    Money,
    PostingKind,
    StoreCreditKind,
    StoreCreditMovement,
)
from models.sql.types import AnySelect

COMMAND = "gift_card_issue"
REASON_LIMIT = 500
GIFT_CARD_LIMIT = 5_000_00
"""The most one gift card is worth, in minor units."""
SHOWN_CHARACTERS = 4


class GiftCardRefused(DomainError):
    """The same for every code that cannot be redeemed, so that it tells nobody which codes there are."""

    code = ErrorCode.COUPON_REFUSED

    def __init__(self) -> None:
        super().__init__("This gift card cannot be redeemed.", field=("code",))


async def issue_gift_card(
    session: AsyncSession,
    amount: Money,
    *,
    code_hash: str,
    last_characters: str,
    reason: str,
    expires_at: datetime,
    key: str | None = None,
    cause: Cause,
) -> GiftCard:
    """Issue a gift card that the shop gives away; its code is the caller's, who shows it once.

    A repeated idempotency key finds the card it has issued.
    """
    content = [amount.minor, amount.currency, reason, expires_at]
    if key is not None:
        earlier = await idempotency.claim_key(
            session, account_id=cause.person, command=COMMAND, key=key, content=content, now=cause.now
        )
        if earlier is not None:
            return await session.get_one(GiftCard, earlier)
    if amount.minor <= 0:
        raise Invalid("A gift card is worth more than nothing.", field=("amount",))
    if amount.minor > GIFT_CARD_LIMIT:
        limit = Money(GIFT_CARD_LIMIT, amount.currency)
        raise LimitReached("A gift card is worth at most {limit}.", limit=limit, field=("amount",))
    if expires_at <= cause.now:
        raise Invalid("A gift card expires in the future.", field=("expires_at",))
    card = GiftCard(
        code_hash=code_hash,
        last_characters=last_characters,
        status=GiftCardStatus.ISSUED,
        currency=amount.currency,
        amount=amount.minor,
        reason=checked_reason(reason),
        expires_at=expires_at,
        issued_by=cause.by,
        issued_at=cause.now,
    )
    session.add(card)
    await session.flush()
    await post(session, card, PostingKind.GIFT_CARD_ISSUED, now=cause.now)
    if key is not None:
        await idempotency.save_result(
            session, account_id=cause.person, command=COMMAND, key=key, result_id=card.id
        )
    return card


async def redeem_gift_card(
    session: AsyncSession, account_id: int, code_hash: str, *, cause: Cause
) -> GiftCard:
    """Make a gift card store credit of a customer, once; who has redeemed it is given the same answer again.

    GiftCardRefused for codes that are unknown, expired, withdrawn or somebody else's.
    """
    redeemed = await session.scalar(
        update(GiftCard)
        .where(GiftCard.code_hash == code_hash, GiftCard.status == GiftCardStatus.ISSUED)
        .where(GiftCard.expires_at > cause.now)
        .values(status=GiftCardStatus.REDEEMED, redeemed_by=account_id, redeemed_at=cause.now)
        .returning(GiftCard.id)
        .execution_options(synchronize_session=False)
    )
    card = await session.scalar(
        select(GiftCard).where(GiftCard.code_hash == code_hash).execution_options(populate_existing=True)
    )
    if card is None or card.status is not GiftCardStatus.REDEEMED or card.redeemed_by != account_id:
        raise GiftCardRefused
    if redeemed is None:
        return card
    credit = await lock_store_credit(session, account_id, card.currency)
    session.add(
        StoreCreditMovement(
            store_credit_id=credit.id,
            kind=StoreCreditKind.REDEEMED,
            currency=card.currency,
            amount=card.amount,
            gift_card_id=card.id,
            created_at=cause.now,
        )
    )
    await session.flush()
    await post(session, card, PostingKind.GIFT_CARD_REDEEMED, now=cause.now)
    return card


async def void_gift_card(session: AsyncSession, card_id: int, *, reason: str, cause: Cause) -> GiftCard:
    """Withdraw a gift card that nobody has redeemed; WrongState otherwise."""
    card = await lock_gift_card(session, card_id)
    reason = checked_reason(reason)
    if card.status is not GiftCardStatus.ISSUED:
        raise WrongState("This gift card is {status}.", status=card.status, field=("id",))
    move(card, GiftCardStatus.VOIDED, GIFT_CARD_TRANSITIONS)
    card.ended_by, card.ended_at, card.void_reason = cause.by, cause.now, reason
    await post(session, card, PostingKind.GIFT_CARD_VOIDED, now=cause.now)
    return card


def select_expired_gift_cards(now: datetime) -> AnySelect:
    """The ids of gift cards that nobody has redeemed in time."""
    return (
        select(GiftCard.id)
        .where(GiftCard.status == GiftCardStatus.ISSUED, GiftCard.expires_at <= now)
        .order_by(GiftCard.expires_at)
    )


async def expire_gift_card(session: AsyncSession, card_id: int, *, now: datetime) -> bool:
    """Book out a gift card that nobody has redeemed in time; False where it is not due."""
    card = await lock_gift_card(session, card_id)
    if card.status is not GiftCardStatus.ISSUED or card.expires_at > now:
        return False
    move(card, GiftCardStatus.EXPIRED, GIFT_CARD_TRANSITIONS)
    card.ended_at = now
    await post(session, card, PostingKind.GIFT_CARD_EXPIRED, now=now)
    return True


async def lock_gift_card(session: AsyncSession, card_id: int) -> GiftCard:
    card = await session.get(GiftCard, card_id, with_for_update=True, populate_existing=True)
    if card is None:
        raise NotFound("gift card", field=("id",))
    return card


async def post(session: AsyncSession, card: GiftCard, kind: PostingKind, *, now: datetime) -> None:
    await write_posting(
        session,
        order_id=None,
        payment_id=None,
        kind=kind,
        amount=card.total,
        key=f"gift card:{card.id}:{kind.value}",
        now=now,
    )


def checked_reason(reason: str) -> str:
    """The reason without surrounding space; Invalid where it is empty or too long."""
    text = reason.strip()
    if not 1 <= len(text) <= REASON_LIMIT:
        raise Invalid("Say why, in at most {limit} characters.", limit=REASON_LIMIT, field=("reason",))
    return text
