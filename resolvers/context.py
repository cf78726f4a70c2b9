"""The context of a GraphQL operation: who asks, what is loaded, and the transaction it writes in."""

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from typing import Any

import strawberry
from aiodataloader import DataLoader
from graphql.pyutils import Path
from sqlalchemy.ext.asyncio import AsyncSession

from domain.account import RIGHTS_CHANGED, SignInPlace
from domain.account.second_factor import SecondFactorRequired
from domain.cause import Cause
from domain.errors import Unauthenticated
from domain.personal_data import ReadFields, record_readings
from domain.personal_data.readings import ACCOUNT, ORDER, PAYMENT, SHIPMENT, TICKET
from events.shop import Shop
from gateways.tokens import AccessToken
from loaders import Loaders
from models import (
    ENROLMENT,
    STAFF,
    Account,
    CurrencyCode,
    GiftCard,
    Permission,
    Role,
    Translations,
    is_granted,
)
from resolvers.execution import Execution
from resolvers.guard import require_permission
from text.messages import Localized, Message


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks, and in which language, currency and time zone they read the answers."""

    language: str
    currency: CurrencyCode
    zone: tzinfo = UTC
    role: Role = Role.GUEST
    account_id: int | None = None
    cart_token: str | None = None
    robot: bool = False
    """A crawler that says so: what it looks at is not counted as a view."""
    must_enrol: bool = False
    """Whether they may do nothing before they have set up a second factor."""
    token: AccessToken | None = field(default=None, compare=False, repr=False)
    """The access token of the request: its sign-in and when it expires; None for guests."""

    @property
    def is_staff(self) -> bool:
        """Whether they work for the shop. What they may see and do is asked with `may`."""
        return self.role in STAFF

    @property
    def id(self) -> int:
        """The id of the viewer's account; raises Unauthenticated for guests."""
        if self.account_id is None:
            raise Unauthenticated
        return self.account_id

    def owns(self, account_id: int | None) -> bool:
        return account_id is not None and account_id == self.account_id

    def may(self, permission: Permission) -> bool:
        return is_granted(permission, self.role) and not (self.must_enrol and permission not in ENROLMENT)

    def require(self, permission: Permission) -> None:
        """Raises Forbidden, Unauthenticated for guests, or SecondFactorRequired unless the viewer may."""
        if self.must_enrol and permission not in ENROLMENT:
            raise SecondFactorRequired("Set up an authenticator app first.")
        require_permission(permission, self.role)

    def text_of(self, message: Message | str) -> str:
        """A message in the viewer's language; a plain text as it is."""
        return message if isinstance(message, str) else message.text(self.language, self.zone)

    def translate(self, translations: Translations, field: str, original: str) -> str:
        """A text in the viewer's language, else of another region of that language, else the original."""
        return Localized.of(original, translations, field).text(self.language)


BatchResolver = Callable[..., Awaitable[Sequence[Any]]]


PREFERENCES_LIMIT = 100
"""Root fields with a language or currency of their own, for one connection: no operation may have more."""


@dataclass(slots=True)
class Context:
    """One request, or one operation of a WebSocket."""

    shop: Shop
    viewer: Viewer
    request_id: str = ""
    place: SignInPlace = field(default_factory=SignInPlace)
    """From where the request comes."""
    cacheable: bool = False
    """A browser or a CDN may keep the answer and show it again without asking."""

    execution: Execution = field(default_factory=Execution)
    """What runs for the operation, so that it can be stopped."""
    origin: str = ""
    """The address at which the client reaches the shop; empty for the configured one."""

    read: ReadFields = field(default_factory=dict)
    """What the operation has read of the personal data of others."""
    load: Loaders = field(init=False)
    batches: "dict[Hashable, DataLoader[Any, Any]]" = field(init=False)
    preferences: "dict[int, tuple[Path, Viewer]]" = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.forget_loaded()

    @property
    def now(self) -> datetime:
        return self.shop.clock()

    @property
    def cause(self) -> Cause:
        """The present moment and the viewer's account, for a command."""
        return Cause(self.now, self.viewer.account_id)

    @property
    def shop_address(self) -> str:
        """The scheme and host of absolute URLs in answers, without a slash at the end."""
        return self.origin or self.shop.settings.server.address

    @property
    def family(self) -> str | None:
        """What the tokens of the viewer's sign-in have in common; None for guests."""
        return self.viewer.token.family if self.viewer.token else None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session that commits when the block ends; what was loaded before is then forgotten.

        An operation that is stopped is rolled back before its commit, and finishes a commit that has begun.
        """
        with ExitStack() as commit:
            async with self.shop.database.writes.begin() as session:
                yield session
                commit.enter_context(self.execution.committing())
        self.forget_loaded()
        self.shop.after_commit(session)
        if session.info.pop(RIGHTS_CHANGED, False):
            await self.shop.session_rights.announce_change()

    def note_view(self, product_id: int) -> None:
        """Count a view of a product by a customer, later and at no cost to the request.

        Answers that a cache may show again are not counted: the page reports its views itself.
        """
        # not a question of permission: whoever works for the shop does not look as a customer
        if not (self.cacheable or self.viewer.is_staff or self.viewer.robot):
            self.shop.views.count_view(product_id, self.shop.today)

    def note_question(self, text: str, article_ids: Sequence[int]) -> None:
        """Count which articles were suggested to a customer for a text, or that there was none; later."""
        # not a question of permission: whoever works for the shop does not ask as a customer
        if not (self.viewer.is_staff or self.viewer.robot):
            viewer_id = self.viewer.account_id
            asker = self.place.address if viewer_id is None else f"account:{viewer_id}"
            self.shop.questions.count(asker, text, article_ids)

    def note_add(self, variant_id: int) -> None:
        """Count that a customer has put a variant into a cart."""
        if not self.viewer.robot:
            self.shop.views.count_addition(variant_id, self.shop.today)

    def note_reading(self, source: object, field: str) -> None:
        """Note that the staff read a personal field: once for each person, when the operation ends."""
        # not a question of permission: customers read what is their own
        if not self.viewer.is_staff:
            return
        owner = owner_of(source)
        if owner is not None:
            self.read.setdefault(owner, set()).add(field)

    async def save_readings(self, operation: str) -> None:
        """Record what the operation has read of others, before its answer leaves."""
        if not self.read:
            return
        read, self.read = self.read, {}
        expires_at = self.now + self.shop.settings.accounts.readings_kept
        async with self.shop.database.writes.begin() as session:
            await record_readings(session, read, operation=operation, expires_at=expires_at, cause=self.cause)

    def forget_loaded(self) -> None:
        """Read everything anew from here on, since what was loaded may have changed."""
        self.load = Loaders(self.shop.database.reads, self.execution.batches)
        self.batches = {}

    def prefer(self, info: "Info", *, language: str | None, currency: CurrencyCode | None) -> Viewer:
        """The viewer for all fields below this root field, with the language and currency it was given."""
        preferred_viewer = replace(
            self.viewer,
            language=language or self.viewer.language,
            currency=currency or self.viewer.currency,
        )
        if preferred_viewer != self.viewer:
            while len(self.preferences) >= PREFERENCES_LIMIT:
                del self.preferences[next(iter(self.preferences))]
            root = root_of(info.path)
            self.preferences[id(root)] = (root, preferred_viewer)
        return preferred_viewer

    def viewer_of(self, info: "Info") -> Viewer:
        """The viewer, with the language and currency the root field above was given."""
        return self.viewer_below(info.path) if self.preferences else self.viewer

    def viewer_below(self, path: Path) -> Viewer:
        """The same for the path of a field."""
        if not self.preferences:
            return self.viewer
        entry = self.preferences.get(id(root_of(path)))
        return entry[1] if entry else self.viewer

    def viewer_at(self, root_field: str | int) -> Viewer:
        """The viewer as `viewer_of`, for the root field of this name in the answer."""
        entries = self.preferences.values()
        return next((viewer for root, viewer in entries if root.key == root_field), self.viewer)

    def batch(
        self, function: BatchResolver, info: "Info", arguments: dict[str, Any]
    ) -> "DataLoader[Any, Any]":
        """The loader that collects all parents for which `function` is called with the same arguments."""
        key = (function, repr(sorted(arguments.items())), self.viewer_of(info))
        if key not in self.batches:

            async def answer(parents: list[Any]) -> list[Any]:
                with self.execution.batches.register():
                    return list(await function(parents, info, **arguments))

            self.batches[key] = DataLoader(answer)
        return self.batches[key]


Info = strawberry.Info[Context, None]


def root_of(path: Path) -> Path:
    """The path of the root field; one object for all fields below it, of this execution only."""
    while path.prev is not None:
        path = path.prev
    return path


def owner_of(source: object) -> tuple[str, int] | None:
    """Whose a row with personal data is: the column that refers to it, and the id; None for the staff's."""
    if isinstance(source, Account):
        return None if source.role in STAFF else (ACCOUNT, source.id)
    if isinstance(source, GiftCard):
        return (ACCOUNT, source.redeemed_by) if source.redeemed_by else None
    for column in (ACCOUNT, TICKET, ORDER, SHIPMENT, PAYMENT):
        if (found := getattr(source, column, None)) is not None:
            return column, int(found)
    return None
