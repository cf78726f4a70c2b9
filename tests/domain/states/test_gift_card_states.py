"""What may happen to a gift card in each of its states."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.store_credit import expire_gift_card, redeem_gift_card, void_gift_card
from events.shop import Shop
from models import GiftCard
from tests.domain.states.outcomes import Command, check_outcomes, documented_outcomes
from tests.factories.account import create_account
from tests.factories.order import NOW
from tests.factories.store_credit import create_gift_card

TITLE = "Gift cards"
LASTS = timedelta(days=365)


async def card_in_state(session: AsyncSession, state: str) -> GiftCard:
    card = await create_gift_card(session, lasts=LASTS)
    await COMMANDS_TO_STATE[state](session, card)
    await session.refresh(card)
    return card


async def redeem(session: AsyncSession, card: GiftCard) -> None:
    """By who has redeemed it, or by somebody where nobody has."""
    account_id = card.redeemed_by or (await create_account(session)).id
    await redeem_gift_card(session, account_id, card.code_hash, cause=Cause(NOW, account_id))


async def redeem_by_another(session: AsyncSession, card: GiftCard) -> None:
    account = await create_account(session)
    await redeem_gift_card(session, account.id, card.code_hash, cause=Cause(NOW, account.id))


async def redeem_late(session: AsyncSession, card: GiftCard) -> None:
    account = await create_account(session)
    await redeem_gift_card(session, account.id, card.code_hash, cause=Cause(NOW + LASTS, account.id))


async def void(session: AsyncSession, card: GiftCard) -> None:
    await void_gift_card(session, card.id, reason="By mistake.", cause=Cause(NOW))


async def expire(session: AsyncSession, card: GiftCard) -> None:
    await expire_gift_card(session, card.id, now=NOW + LASTS)


async def leave(session: AsyncSession, card: GiftCard) -> None:
    """It stays as it was issued."""


COMMANDS_TO_STATE: Mapping[str, Command] = {
    "ISSUED": leave,
    "REDEEMED": redeem,
    "VOIDED": void,
    "EXPIRED": expire,
}
COMMANDS: Mapping[str, Command] = {
    "a customer redeems it, or does so again": redeem,
    "another customer redeems it": redeem_by_another,
    "a customer redeems it too late": redeem_late,
    "the staff withdraw it": void,
    "its time is over": expire,
}


@pytest.mark.parametrize("state", documented_outcomes(TITLE))
async def test_what_may_happen_to_a_gift_card(shop: Shop, state: str) -> None:
    await check_outcomes(shop, TITLE, state, card_in_state, COMMANDS)
