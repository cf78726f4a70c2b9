"""Everything one request may reach."""

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import strawberry
from aiodataloader import DataLoader
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import Forbidden, Unauthenticated
from events.shop import Shop
from loaders import Loaders
from models import CurrencyCode, Role, Translations
from resolvers.guard import STAFF, Allow


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks, and how they like their answers."""

    language: str
    currency: CurrencyCode
    role: Role = Role.GUEST
    account_id: int | None = None
    cart_token: str | None = None
    robot: bool = False
    """A program that says so: what it looks at is no view."""

    @property
    def is_staff(self) -> bool:
        return self.role in STAFF

    @property
    def id(self) -> int:
        """The account of somebody who has signed in."""
        if self.account_id is None:
            raise Unauthenticated
        return self.account_id

    def owns(self, account_id: int | None) -> bool:
        return account_id is not None and account_id == self.account_id

    def require(self, allow: Allow) -> None:
        """Forbidden, or Unauthenticated where signing in might help."""
        if self.role not in allow:
            raise Unauthenticated if self.role is Role.GUEST else Forbidden

    def read(self, translations: Translations, field: str, otherwise: str) -> str:
        """A text in the viewer's language: the exact tag, else its primary language, else the original."""
        for tag in (self.language, self.language.partition("-")[0]):
            if text := translations.get(tag, {}).get(field):
                return text
        return otherwise


Batched = Callable[..., Awaitable[Sequence[Any]]]


@dataclass(slots=True)
class Context:
    """One request, or one operation of a WebSocket."""

    shop: Shop
    viewer: Viewer
    request_id: str = ""
    load: Loaders = field(init=False)
    batches: "dict[Hashable, DataLoader[Any, Any]]" = field(init=False)

    def __post_init__(self) -> None:
        self.forget()

    @property
    def now(self) -> datetime:
        return self.shop.clock()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One write, all or nothing; what was read before it is forgotten."""
        async with self.shop.database.writes.begin() as session:
            yield session
        self.forget()
        self.shop.wake()

    def note_view(self, product_id: int) -> None:
        """A customer looks at a product: counted later, at no cost to the request."""
        if not (self.viewer.is_staff or self.viewer.robot):
            self.shop.tally.view(product_id, self.shop.today)

    def note_add(self, variant_id: int) -> None:
        """A customer puts something into a cart."""
        if not self.viewer.robot:
            self.shop.tally.add(variant_id, self.shop.today)

    def forget(self) -> None:
        """What has been loaded may have changed: read it again from here on."""
        self.load = Loaders(self.shop.database.reads)
        self.batches = {}

    def batch(self, function: Batched, info: "Info", arguments: dict[str, Any]) -> "DataLoader[Any, Any]":
        """The collector of all parents that ask `function` with the same arguments."""
        key = (function, repr(sorted(arguments.items())))
        if key not in self.batches:

            async def answer(parents: list[Any]) -> list[Any]:
                return list(await function(parents, info, **arguments))

            self.batches[key] = DataLoader(answer)
        return self.batches[key]


Info = strawberry.Info[Context, None]
