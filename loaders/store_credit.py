"""Loading store credit and gift cards."""

from collections.abc import Collection, Sequence

from sqlalchemy import func, select

from loaders.base import ByKey, loader
from loaders.page import Key, Sort
from models import GiftCard, GiftCardStatus, Money, StoreCredit, StoreCreditMovement
from models.database import Reads
from models.sql.types import AnySelect

NEWEST_CREDIT_MOVEMENT = Sort("newest", (Key(StoreCreditMovement.id, descending=True),))
NEWEST_GIFT_CARD = Sort("newest", (Key(GiftCard.id, descending=True),))


async def load_balances(reads: Reads, account_id: int) -> Sequence[Money]:
    """What an account has, one amount for each currency of which something is left."""
    statement = (
        select(StoreCredit.currency, func.sum(StoreCreditMovement.amount))
        .join(StoreCreditMovement, StoreCreditMovement.store_credit_id == StoreCredit.id)
        .where(StoreCredit.account_id == account_id)
        .group_by(StoreCredit.currency)
        .order_by(StoreCredit.currency)
    )
    async with reads() as session:
        rows = await session.execute(statement)
        return [Money(int(balance), currency) for currency, balance in rows if balance]


def select_credit_movements(account_id: int) -> AnySelect:
    """Select every change of the store credit of an account."""
    return (
        select(StoreCreditMovement)
        .join(StoreCredit, StoreCredit.id == StoreCreditMovement.store_credit_id)
        .where(StoreCredit.account_id == account_id)
    )


def select_gift_cards(status: Collection[GiftCardStatus] | None) -> AnySelect:
    """Select gift cards with one of these statuses; all when None."""
    statement = select(GiftCard)
    return statement if status is None else statement.where(GiftCard.status.in_(status))


class GiftCardById(ByKey[int, GiftCard]):
    key = GiftCard.id


class StoreCreditLoaders:
    gift_card = loader(GiftCardById)
