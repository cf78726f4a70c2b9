from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from loaders.base import ByKey, Grouped, LoaderSet, loader
from models import Cart, CartStatus
from models.live_lines import LiveCartLine, LiveLine, LiveSavedLine, build_live_line, select_live_lines
from models.sql.types import AnySelect

L = TypeVar("L", bound=LiveLine)


class CartById(ByKey[int, Cart]):
    key = Cart.id


class CartByAccount(ByKey[int, Cart]):
    key = Cart.account_id

    def statement(self) -> AnySelect:
        return select(Cart).where(Cart.status == CartStatus.ACTIVE)


class CartByToken(ByKey[str, Cart]):
    key = Cart.token_hash

    def statement(self) -> AnySelect:
        return select(Cart).where(Cart.status == CartStatus.ACTIVE)


class CartLinesByCart(Grouped[int, Sequence[LiveCartLine]]):
    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, Sequence[LiveCartLine]]:
        return await read_live_lines(self.loaders, session, LiveCartLine, keys)

    def default(self) -> Sequence[LiveCartLine]:
        return []


class SavedLinesByCart(Grouped[int, Sequence[LiveSavedLine]]):
    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, Sequence[LiveSavedLine]]:
        return await read_live_lines(self.loaders, session, LiveSavedLine, keys)

    def default(self) -> Sequence[LiveSavedLine]:
        return []


async def read_live_lines(
    loaders: LoaderSet, session: AsyncSession, kind: type[L], cart_ids: list[int]
) -> Mapping[int, Sequence[L]]:
    """Lines by cart, in one statement that also brings their variants."""
    lines: defaultdict[int, list[L]] = defaultdict(list)
    for row in await session.execute(select_live_lines(kind, cart_ids)):
        line = build_live_line(kind, row)
        loaders.prime("variant", line.variant_id, line.sellable.variant)
        lines[line.cart_id].append(line)
    return lines


class CartLoaders:
    cart = loader(CartById)
    account_cart = loader(CartByAccount)
    token_cart = loader(CartByToken)
    cart_lines = loader(CartLinesByCart)
    cart_saved_lines = loader(SavedLinesByCart)
