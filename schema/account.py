"""People: who is asking, signing in, address books."""

from datetime import datetime

import strawberry

import models
import schema.scalars  # noqa: F401 - CurrencyCode must be described before it is used
from resolvers import account as resolve
from resolvers.context import Viewer as ViewerRow
from resolvers.described import describe_enum
from resolvers.guard import ANYONE, CUSTOMERS
from schema.mutation import mutation
from schema.node import Node
from schema.rows import batched, field, loaded, row_type

Role = describe_enum(models.Role)
ADMINS = frozenset({models.Role.ADMIN})


@row_type(models.Address)
class Address(Node):
    """An entry of a customer's address book."""

    recipient: str
    """Who takes the parcel."""
    phone: str
    """The number the courier calls, in E.164."""
    country_code: str
    """The ISO 3166 code of the country."""
    province: str
    """Province, state or municipality; empty where there is none."""
    city: str
    """City or prefecture."""
    district: str
    """District or county; empty where there is none."""
    line1: str
    """Street, house and door."""
    line2: str
    """What else helps to find the door; may be empty."""
    postal_code: str
    """Postal code; may be empty."""
    is_default: bool
    """Whether parcels go here unless something else is said; true for exactly one of a book."""


@row_type(models.Account)
class Account(Node):
    """A person with a password: a customer or a member of staff."""

    name: str
    """How to address them."""
    role: models.Role
    """Who they are to the shop."""
    email: str | None = field(resolve.email)
    phone: str | None = field(resolve.phone)
    language: str | None
    """The language they read, as a tag; null when they never said."""
    created_at: datetime
    """Since when they have it."""
    disabled_at: datetime | None
    """Since when they may not sign in; null when they may."""
    addresses: list[Address] = batched(resolve.addresses)


@row_type(ViewerRow)
class Viewer:
    """Whoever is asking, and how their answers are given."""

    role: models.Role
    """Who they are to the shop; GUEST until they sign in."""
    language: str
    """The language texts are read in, from `Accept-Language`."""
    currency: models.CurrencyCode
    """The currency prices are shown in, from `X-Currency`."""
    account: Account | None = loaded("account", key="account_id")
    """Their account; null for a guest."""


@row_type(resolve.SignedIn)
class Session:
    """Somebody has signed in; both tokens are told here and nowhere else."""

    access_token: str
    """Sent with every request, as `Authorization: Bearer ...`; good for minutes."""
    refresh_token: str
    """Good for one `sessionRefresh`, which gives the next one."""
    expires_at: datetime
    """When the access token stops being good."""
    account: Account
    """Whose it is."""


@strawberry.type
class AccountQuery:
    viewer: Viewer = field(resolve.viewer, allow=ANYONE)


@strawberry.type
class AccountMutation:
    account_register = mutation(resolve.account_register, returns=Session, allow=ANYONE)
    session_create = mutation(resolve.session_create, returns=Session, allow=ANYONE)
    session_refresh = mutation(resolve.session_refresh, returns=Session, allow=ANYONE)
    session_revoke = mutation(
        resolve.session_revoke,
        returns=bool,
        thing="revoked",
        says="True when the sign-in has ended, now or before.",
        allow=ANYONE,
    )
    address_save = mutation(resolve.address_save, returns=Address, allow=CUSTOMERS)
    address_remove = mutation(resolve.address_remove, returns=Account, allow=CUSTOMERS)
    staff_create = mutation(resolve.staff_create, returns=Account, allow=ADMINS)
    account_disable = mutation(resolve.account_disable, returns=Account, allow=ADMINS)
    account_enable = mutation(resolve.account_enable, returns=Account, allow=ADMINS)
