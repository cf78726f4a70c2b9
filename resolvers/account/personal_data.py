"""Resolvers of exporting and erasing one's personal data."""

from dataclasses import dataclass
from datetime import datetime

import strawberry

from domain.account.verification import start_download
from domain.errors import LimitReached
from domain.personal_data import erase_staff, request_erasure
from gateways.buckets import Rate
from gateways.secrets import fingerprint_of
from models import Account
from resolvers.account.owner import require_password
from resolvers.account.second_factor import check_second_factor
from resolvers.context import Info
from resolvers.ids import row_id

EXPORT_PATH = "/account/export"
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class AccountExport:
    """A link to a file with everything the shop knows of an account; it opens once."""

    url: str
    expires_at: datetime


async def account_export(info: Info, password: str, second_factor: str | None = None) -> AccountExport:
    """Makes a link to a JSON file with everything the shop knows of one's own account. It opens once.

    password: one's present password
    second_factor: the code that the authenticator app shows, or a recovery code, where the account has one
    """
    await require_password(info, password)
    shop, account_id = info.context.shop, info.context.viewer.id
    limit = shop.settings.accounts.exports_per_day
    taken = await shop.buckets.take(f"export:{account_id}", 1, Rate(limit, limit / DAY_SECONDS))
    if not taken.allowed:
        raise LimitReached(
            "At most {limit} exports a day.", limit=limit, retry_after_seconds=taken.retry_after
        )
    token = shop.secrets.new_token()
    async with info.context.transaction() as session:
        await check_second_factor(info, session, account_id, second_factor)
        download = await start_download(session, account_id, fingerprint_of(token), now=info.context.now)
    return AccountExport(f"{shop.settings.server.address}{EXPORT_PATH}?token={token}", download.expires_at)


async def account_erase(
    info: Info, password: str, second_factor: str | None = None, forfeit_store_credit: bool = False
) -> Account:
    """Erases one's own account: it is signed out at once, and nothing personal is left within a minute.
    Refused while an order, a ticket or a refund is open, and while there is store credit that is not given
    up. What was sold stays in the books, by nobody.

    password: one's present password
    second_factor: the code that the authenticator app shows, or a recovery code, where the account has one
    forfeit_store_credit: give up what store credit there is
    """
    await require_password(info, password)
    async with info.context.transaction() as session:
        await check_second_factor(info, session, info.context.viewer.id, second_factor)
        return await request_erasure(
            session, info.context.viewer.id, forfeit=forfeit_store_credit, cause=info.context.cause
        )


async def staff_erase(info: Info, id: strawberry.ID) -> Account:
    """Erases the account of a former member of the staff, which was disabled before.

    id: the account
    """
    account_id = row_id(id, "Account")
    async with info.context.transaction() as session:
        return await erase_staff(session, account_id, cause=info.context.cause)
