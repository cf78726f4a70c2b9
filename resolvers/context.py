"""Everything one request may reach."""

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import strawberry
from aiodataloader import DataLoader
from graphql.pyutils import Path
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
        """A text in the viewer's language: the exact tag, the primary language, a sister, or the original."""
        primary = self.language.partition("-")[0]
        for tag in (self.language, primary):
            if text := translations.get(tag, {}).get(field):
                return text
        sisters = (
            text
            for tag, texts in sorted(translations.items())
            if tag.partition("-")[0].lower() == primary and (text := texts.get(field))
        )
        return next(sisters, otherwise)


Batched = Callable[..., Awaitable[Sequence[Any]]]


LIKINGS_LIMIT = 100
"""Root fields of one connection whose likings are kept: no operation may have more."""


@dataclass(slots=True)
class Context:
    """One request, or one operation of a WebSocket."""

    shop: Shop
    viewer: Viewer
    request_id: str = ""
    kept: bool = False
    """The answer may be kept, by a browser or a CDN, and shown again without asking."""

    load: Loaders = field(init=False)
    batches: "dict[Hashable, DataLoader[Any, Any]]" = field(init=False)
    likings: "dict[int, tuple[Path, Viewer]]" = field(default_factory=dict)

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
        self.shop.committed(session)

    def note_view(self, product_id: int) -> None:
        """A customer looks at a product: counted later, at no cost to the request.

        What may be shown again unasked is not counted: the page itself says that it is looked at.
        """
        if not (self.kept or self.viewer.is_staff or self.viewer.robot):
            self.shop.tally.view(product_id, self.shop.today)

    def note_add(self, variant_id: int) -> None:
        """A customer puts something into a cart."""
        if not self.viewer.robot:
            self.shop.tally.add(variant_id, self.shop.today)

    def forget(self) -> None:
        """What has been loaded may have changed: read it again from here on."""
        self.load = Loaders(self.shop.database.reads)
        self.batches = {}

    def like(self, info: "Info", *, language: str | None, currency: CurrencyCode | None) -> Viewer:
        """The viewer for all below this root field: with another language or currency than their own."""
        liked = replace(
            self.viewer,
            language=language or self.viewer.language,
            currency=currency or self.viewer.currency,
        )
        if liked != self.viewer:
            while len(self.likings) >= LIKINGS_LIMIT:
                del self.likings[next(iter(self.likings))]
            root = root_of(info)
            self.likings[id(root)] = (root, liked)
        return liked

    def viewer_of(self, info: "Info") -> Viewer:
        """The viewer as the root field above likes it."""
        if not self.likings:
            return self.viewer
        kept = self.likings.get(id(root_of(info)))
        return kept[1] if kept else self.viewer

    def batch(self, function: Batched, info: "Info", arguments: dict[str, Any]) -> "DataLoader[Any, Any]":
        """The collector of all parents that ask `function` with the same arguments."""
        key = (function, repr(sorted(arguments.items())), self.viewer_of(info))
        if key not in self.batches:

            async def answer(parents: list[Any]) -> list[Any]:
                return list(await function(parents, info, **arguments))

            self.batches[key] = DataLoader(answer)
        return self.batches[key]


Info = strawberry.Info[Context, None]


def root_of(info: Info) -> Path:
    """Where in the answer the root field stands; one object for all below it, of this execution only."""
    path: Path = info.path
    while path.prev is not None:
        path = path.prev
    return path
