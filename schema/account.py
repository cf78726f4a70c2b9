"""The viewer, accounts, sessions and address books."""

from datetime import datetime

import strawberry

import models
from resolvers import account as resolve
from resolvers import cash
from resolvers.context import Viewer as ViewerRow
from resolvers.descriptions import describe_enum
from resolvers.guard import Permission
from schema.limits.sizes import ARGON2, FEW, SOME
from schema.mutation import mutation
from schema.node import Node
from schema.rows import batched, field, loaded, plain_list, row_type
from schema.scalars import Money

Role = describe_enum(models.Role)
CoordinateSource = describe_enum(models.CoordinateSource)


@row_type(models.Address)
class Address(Node):
    """An address in a customer's address book."""

    recipient: str
    """Who receives the parcel."""
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
    """Street, house number and apartment."""
    line2: str
    """Further details for the courier; may be empty."""
    postal_code: str
    """Postal code; may be empty."""
    latitude: float | None
    """Degrees north (WGS 84); null where it is not known."""
    longitude: float | None
    """Degrees east (WGS 84); null where it is not known."""
    coordinate_source: models.CoordinateSource | None
    """From whom the coordinates are known; null where there are none, or it was not kept yet."""
    preferred_from: str | None
    """From which time of a day somebody is there, such as "18:00", in the shop's time zone; null for any."""
    preferred_until: str | None
    """Until which time of a day; null for any."""
    is_default: bool
    """Whether it is the default address; true for exactly one address of an address book."""


@row_type(models.SignIn)
class SignIn(Node):
    """One sign-in on one device that has not ended."""

    created_at: datetime
    """When it began."""
    used_at: datetime
    """When its tokens were last refreshed."""
    expires_at: datetime
    """When it ends by itself unless it is refreshed."""
    address: str
    """The network address it was last used from; empty where it is not known."""
    user_agent: str
    """What the browser or the app called itself; may be empty."""
    is_current: bool = field(resolve.is_current)
    gets_push_notices: bool = batched(resolve.gets_push_notices)


@row_type(models.Account)
class Account(Node):
    """A customer or a member of staff, who signs in with a password."""

    name: str
    """How to address them."""
    role: models.Role
    """Their role."""
    email: str | None = field(resolve.email)
    phone: str | None = field(resolve.phone)
    email_verified_at: datetime | None
    """When the e-mail address was verified; null if it was not."""
    phone_verified_at: datetime | None
    """When the phone number was verified; null if it was not."""
    erased_at: datetime | None
    """Since when nothing personal is left of it; null otherwise."""
    second_factor_since: datetime | None = batched(resolve.second_factor_since)
    language: str | None
    """The language they read, as a tag; null if unknown."""
    created_at: datetime
    """When it was created."""
    disabled_at: datetime | None
    """Since when it is disabled; null if it is not."""
    addresses: list[Address] = batched(resolve.addresses, size=SOME)
    sign_ins: list[SignIn] = batched(resolve.sign_ins, size=SOME)
    cash_in_hand: list[Money] = batched(cash.couriers_cash, size=FEW)


@row_type(ViewerRow)
class Viewer:
    """Who sends the request, and the language and currency of the answer."""

    role: models.Role
    """Their role; GUEST until they sign in."""
    language: str
    """The language texts are read in: that of `Accept-Language`, else that of the account."""
    currency: models.CurrencyCode
    """The currency prices are shown in, from `X-Currency`."""
    account: Account | None = loaded("account", key="account_id")
    """Their account; null for a guest."""


@row_type(resolve.SignInResult)
class Session:
    """The tokens of a sign-in; they are shown only once."""

    access_token: str
    """The token to send with every request, as `Authorization: Bearer ...`; it is valid for some minutes."""
    refresh_token: str
    """The token for one `sessionRefresh`, which returns the next one."""
    expires_at: datetime
    """When the access token expires."""
    account: Account
    """The account that has signed in."""


@row_type(resolve.StartedVerification)
class Verification:
    """A one-time code that is on its way to an e-mail address or phone number."""

    token: str
    """Send it back together with the code, which is worth nothing without it."""
    expires_at: datetime
    """Until when the code is valid; it can be tried five times."""


@row_type(resolve.TotpEnrolment)
class TotpEnrolment:
    """What an authenticator app is set up with; it is shown only once."""

    secret: str
    """The secret, for typing it in."""
    uri: str
    """The same and the name of the account, to be shown as a QR code."""


@row_type(resolve.RecoveryCodeSet)
class RecoveryCodes:
    """Codes that stand in for the authenticator app, once each; they are shown only once."""

    codes: list[str] = plain_list(size=SOME)
    """The codes, to be written down."""


@row_type(resolve.AccountExport)
class AccountExport:
    """A link to a file with everything the shop knows of an account."""

    url: str
    """The address of the file; it opens once."""
    expires_at: datetime
    """Until when it opens."""


@strawberry.type
class AccountQuery:
    viewer: Viewer = field(resolve.viewer, allow=Permission.PUBLIC)


@strawberry.type
class AccountMutation:
    account_register = mutation(
        resolve.account_register, returns=Verification, allow=Permission.PUBLIC, price=ARGON2
    )
    registration_confirm = mutation(resolve.registration_confirm, returns=Session, allow=Permission.PUBLIC)
    account_update = mutation(
        resolve.account_update, returns=Account, allow=Permission.ACCOUNT_EDIT, price=ARGON2
    )
    contact_change = mutation(
        resolve.contact_change, returns=Verification, allow=Permission.ACCOUNT_EDIT, price=ARGON2
    )
    contact_verify = mutation(resolve.contact_verify, returns=Account, allow=Permission.ACCOUNT_EDIT)
    password_change = mutation(
        resolve.password_change, returns=Account, allow=Permission.ACCOUNT_EDIT, price=ARGON2
    )
    password_reset_start = mutation(
        resolve.password_reset_start, returns=Verification, allow=Permission.PUBLIC
    )
    password_reset = mutation(
        resolve.password_reset,
        returns=datetime,
        field_name="reset_at",
        field_description="When the password was set; null when the shop refused.",
        allow=Permission.PUBLIC,
        price=ARGON2,
    )
    totp_enrol = mutation(
        resolve.totp_enrol, returns=TotpEnrolment, allow=Permission.SECOND_FACTOR, price=ARGON2
    )
    totp_confirm = mutation(resolve.totp_confirm, returns=RecoveryCodes, allow=Permission.SECOND_FACTOR)
    totp_remove = mutation(resolve.totp_remove, returns=Account, allow=Permission.SECOND_FACTOR, price=ARGON2)
    recovery_codes_renew = mutation(
        resolve.recovery_codes_renew, returns=RecoveryCodes, allow=Permission.SECOND_FACTOR, price=ARGON2
    )
    staff_totp_reset = mutation(resolve.staff_totp_reset, returns=Account, allow=Permission.STAFF_MANAGE)
    account_export = mutation(
        resolve.account_export, returns=AccountExport, allow=Permission.ACCOUNT_EDIT, price=ARGON2
    )
    account_erase = mutation(
        resolve.account_erase, returns=Account, allow=Permission.ACCOUNT_EDIT, price=ARGON2
    )
    staff_erase = mutation(resolve.staff_erase, returns=Account, allow=Permission.STAFF_MANAGE)
    device_token_register = mutation(
        resolve.device_token_register, returns=SignIn, allow=Permission.ACCOUNT_EDIT
    )
    device_token_remove = mutation(resolve.device_token_remove, returns=SignIn, allow=Permission.ACCOUNT_EDIT)
    session_create = mutation(resolve.session_create, returns=Session, allow=Permission.PUBLIC, price=ARGON2)
    session_refresh = mutation(resolve.session_refresh, returns=Session, allow=Permission.PUBLIC)
    session_revoke = mutation(
        resolve.session_revoke,
        returns=bool,
        field_name="revoked",
        field_description="True when the sign-in has ended, now or before.",
        allow=Permission.PUBLIC,
    )
    sign_in_end = mutation(resolve.sign_in_end, returns=Account, allow=Permission.ACCOUNT_EDIT)
    other_sign_ins_end = mutation(resolve.other_sign_ins_end, returns=Account, allow=Permission.ACCOUNT_EDIT)
    address_save = mutation(resolve.address_save, returns=Address, allow=Permission.ADDRESS_EDIT)
    address_remove = mutation(resolve.address_remove, returns=Account, allow=Permission.ADDRESS_EDIT)
    staff_create = mutation(
        resolve.staff_create, returns=Account, allow=Permission.STAFF_MANAGE, price=ARGON2
    )
    staff_role_change = mutation(resolve.staff_role_change, returns=Account, allow=Permission.STAFF_MANAGE)
    account_disable = mutation(resolve.account_disable, returns=Account, allow=Permission.STAFF_MANAGE)
    account_enable = mutation(resolve.account_enable, returns=Account, allow=Permission.STAFF_MANAGE)
