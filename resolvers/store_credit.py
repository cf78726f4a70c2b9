"""Resolvers of store credit and gift cards."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import strawberry

from domain.store_credit import issue_gift_card, redeem_gift_card, void_gift_card
from gateways.gift_code import derive_gift_code
from gateways.secrets import fingerprint_of
from gateways.totp import normalize_recovery_code
from loaders.page import FIRST_PAGE, Page, PageRequest
from loaders.store_credit import (
    NEWEST_CREDIT_MOVEMENT,
    NEWEST_GIFT_CARD,
    load_balances,
    select_credit_movements,
    select_gift_cards,
)
from models import GiftCard, GiftCardStatus, Money, StoreCreditMovement
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.inputs.money import MoneyInput
from resolvers.paging import query_page
from resolvers.rates import LimitedAction, limit_action

CODE_LENGTH_LIMIT = 100
SHOWN_CHARACTERS = 4


@dataclass(frozen=True, slots=True)
class IssuedGiftCard:
    """A new gift card and its code, of which only the hash is stored."""

    gift_card: GiftCard
    code: str | None
    """None where the shop has another secret key since."""


async def store_credit(info: Info) -> Sequence[Money]:
    """One's own store credit: one amount for each currency of which something is left."""
    return await load_balances(info.context.shop.database.reads, info.context.viewer.id)


async def store_credit_movements(info: Info, page: PageRequest = FIRST_PAGE) -> Page[StoreCreditMovement]:
    """Changes of one's own store credit, the newest first."""
    statement = select_credit_movements(info.context.viewer.id)
    return await query_page(info, statement, NEWEST_CREDIT_MOVEMENT, page)


async def gift_cards(
    info: Info, status: list[GiftCardStatus] | None = None, page: PageRequest = FIRST_PAGE
) -> Page[GiftCard]:
    """Gift cards, the newest first.

    status: only with one of these statuses
    """
    return await query_page(info, select_gift_cards(status), NEWEST_GIFT_CARD, page)


async def gift_card_issue(
    info: Info, amount: MoneyInput, reason: str, expires_at: datetime, idempotency_key: str
) -> IssuedGiftCard:
    """Issues a gift card that the shop gives away. Its code is shown only now, and when this is sent again.

    amount: what it is worth
    reason: why, in up to 500 characters
    expires_at: until when it can be redeemed
    idempotency_key: chosen by the client, the same for every attempt at the same card
    """
    money = amount.money(field=("amount",))
    code = code_of_card(info, idempotency_key)
    async with info.context.transaction() as session:
        card = await issue_gift_card(
            session,
            money,
            code_hash=fingerprint_of(code),
            last_characters=code[-SHOWN_CHARACTERS:],
            reason=reason,
            expires_at=expires_at,
            key=idempotency_key,
            cause=info.context.cause,
        )
    return IssuedGiftCard(card, code if card.code_hash == fingerprint_of(code) else None)


def code_of_card(info: Info, idempotency_key: str) -> str:
    """The code of the card that a request issues: the same when it is sent again."""
    key = info.context.shop.settings.signing_key()
    return derive_gift_code(key, str(info.context.viewer.id), idempotency_key)


async def gift_card_redeem(info: Info, code: str) -> GiftCard:
    """Makes a gift card one's own store credit. Codes that are unknown, expired, withdrawn or redeemed by
    somebody else are refused alike.

    code: the code, however it is written
    """
    account_id = info.context.viewer.id
    await limit_action(info.context.shop, LimitedAction.GIFT_CARD, by=f"account:{account_id}")
    code_hash = fingerprint_of(normalize_recovery_code(code[:CODE_LENGTH_LIMIT]))
    async with info.context.transaction() as session:
        return await redeem_gift_card(session, account_id, code_hash, cause=info.context.cause)


async def gift_card_void(info: Info, id: strawberry.ID, reason: str) -> GiftCard:
    """Withdraws a gift card that nobody has redeemed.

    id: the gift card
    reason: why, in up to 500 characters
    """
    card_id = row_id(id, "GiftCard")
    async with info.context.transaction() as session:
        return await void_gift_card(session, card_id, reason=reason, cause=info.context.cause)


async def find_gift_card(info: Info, card_id: int) -> GiftCard | None:
    """The gift card; None unless the viewer issues them or has redeemed it."""
    card = await info.context.load.gift_card.load(card_id)
    viewer = info.context.viewer
    if card is None or viewer.may(Permission.GIFT_CARD_EDIT):
        return card
    return card if card.redeemed_by is not None and viewer.owns(card.redeemed_by) else None


def staff_reason(root: GiftCard, info: Info) -> str | None:
    """Why it was issued; null for those who do not issue them."""
    return root.reason if info.context.viewer_of(info).may(Permission.GIFT_CARD_EDIT) else None


def staff_void_reason(root: GiftCard, info: Info) -> str | None:
    """Why it was withdrawn; null where it was not, and for those who do not issue them."""
    return root.void_reason if info.context.viewer_of(info).may(Permission.GIFT_CARD_EDIT) else None
