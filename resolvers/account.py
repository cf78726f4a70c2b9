from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import strawberry
from sqlalchemy.ext.asyncio import AsyncSession

import models
from domain.account import (
    SignedOut,
    WrongCredentials,
    acceptable,
    begin_attempt,
    create_staff,
    disable_account,
    enable_account,
    end_attempt,
    open_session,
    register_account,
    revoke_session,
    rotate_session,
)
from domain.address import remove_address, save_address
from domain.cart import adopt_cart
from domain.contact import login_of
from gateways.secrets import fingerprint
from gateways.tokens import AccessToken, write_token
from models import Account, Address, Role
from resolvers.context import Info, Viewer
from resolvers.guard import SUPPORT
from resolvers.ids import row_id
from resolvers.inputs.account import PostalAddressInput


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What somebody holds who has come in: the tokens are told once and not kept here."""

    access_token: str
    refresh_token: str
    expires_at: datetime
    account: Account


async def viewer(info: Info) -> Viewer:
    """Whoever is asking, guests included."""
    return info.context.viewer


async def account_register(
    info: Info, name: str, password: str, email: str | None = None, phone: str | None = None
) -> SignedIn:
    """Become a customer and sign in; what is in the guest's cart stays with them.

    name: how to address them
    password: 8 to 128 characters
    email: their e-mail address; this or a phone number is needed
    phone: their phone number; without a country code it is a Chinese one
    """
    password_hash = await info.context.shop.secrets.hash_password(acceptable(password))
    async with info.context.transaction() as session:
        account = await register_account(
            session,
            email=email,
            phone=phone,
            name=name,
            password_hash=password_hash,
            language=info.context.viewer.language,
            now=info.context.now,
        )
        return await welcome(info, session, account)


async def session_create(info: Info, login: str, password: str) -> SignedIn:
    """Sign in; what is in the guest's cart goes into the customer's. Ten failures mean a pause.

    login: the e-mail address or phone number
    password: the password
    """
    known_as = login_of(login)
    if known_as is None:
        raise WrongCredentials
    async with info.context.transaction() as session:
        found = await begin_attempt(session, known_as, now=info.context.now)
    fits = await info.context.shop.secrets.password_fits(found.password_hash if found else None, password)
    if found is None or not fits:
        raise WrongCredentials
    async with info.context.transaction() as session:
        account = await end_attempt(session, found.id, known_as, now=info.context.now)
        return await welcome(info, session, account)


async def session_refresh(info: Info, refresh_token: str) -> SignedIn:
    """New tokens for the last refresh token; using one twice ends the whole sign-in.

    refresh_token: the last one of this sign-in
    """
    shop, fresh = info.context.shop, info.context.shop.secrets.token()
    async with info.context.transaction() as session:
        rotated = await rotate_session(
            session,
            token_hash=fingerprint(refresh_token),
            new_token_hash=fingerprint(fresh),
            now=info.context.now,
            lives=shop.settings.refresh_token_lives,
        )
        account = await session.get_one(Account, rotated.account_id) if rotated else None
    if rotated is None or account is None:
        raise SignedOut
    return handed_out(info, account, rotated.family, fresh)


async def session_revoke(info: Info, refresh_token: str) -> bool:
    """Sign out: no token of this sign-in can be refreshed any more.

    refresh_token: any one of this sign-in
    """
    async with info.context.transaction() as session:
        await revoke_session(session, token_hash=fingerprint(refresh_token), now=info.context.now)
    return True


async def welcome(info: Info, session: AsyncSession, account: Account) -> SignedIn:
    """Open a session for somebody whose account is locked, and bring their guest's cart along."""
    secrets, cart_token = info.context.shop.secrets, info.context.viewer.cart_token
    family, refresh_token = secrets.token(), secrets.token()
    await open_session(
        session,
        account,
        family=family,
        token_hash=fingerprint(refresh_token),
        now=info.context.now,
        lives=info.context.shop.settings.refresh_token_lives,
    )
    if cart_token and account.role is Role.CUSTOMER:
        await adopt_cart(
            session, token_hash=fingerprint(cart_token), account_id=account.id, now=info.context.now
        )
    return handed_out(info, account, family, refresh_token)


def handed_out(info: Info, account: Account, family: str, refresh_token: str) -> SignedIn:
    """Tokens for somebody who has come in; the rest of the request knows who that is."""
    info.context.viewer = replace(info.context.viewer, role=account.role, account_id=account.id)
    settings, now = info.context.shop.settings, info.context.now
    token = AccessToken(account.id, account.role, family, now + settings.access_token_lives)
    access_token = write_token(settings.signing_key(), token, now=now)
    return SignedIn(access_token, refresh_token, token.expires_at, account)


async def address_save(
    info: Info,
    address: PostalAddressInput,
    id: strawberry.ID | None = None,
    is_default: bool = False,
) -> Address:
    """Keep an address in one's own book, or change one that is kept.

    address: the whole address
    id: the one to change; a new one without it
    is_default: whether it becomes the default; the first one is in any case
    """
    address_id = None if id is None else row_id(id, "Address")
    async with info.context.transaction() as session:
        return await save_address(
            session,
            account_id=info.context.viewer.id,
            address_id=address_id,
            given=address.postal(),
            is_default=is_default,
            now=info.context.now,
        )


async def address_remove(info: Info, id: strawberry.ID) -> Account:
    """Take an address out of one's own book; orders keep the address they were sent to.

    id: the one to remove
    """
    async with info.context.transaction() as session:
        account_id = info.context.viewer.id
        await remove_address(session, account_id=account_id, address_id=row_id(id, "Address"))
        return await session.get_one(Account, account_id)


async def staff_create(
    info: Info,
    role: models.Role,
    name: str,
    password: str,
    email: str | None = None,
    phone: str | None = None,
) -> Account:
    """Give a member of the staff an account.

    role: what they do
    name: how to address them
    password: 8 to 128 characters
    email: their e-mail address; this or a phone number is needed
    phone: their phone number; without a country code it is a Chinese one
    """
    password_hash = await info.context.shop.secrets.hash_password(acceptable(password))
    async with info.context.transaction() as session:
        return await create_staff(
            session,
            role=role,
            email=email,
            phone=phone,
            name=name,
            password_hash=password_hash,
            now=info.context.now,
        )


async def account_disable(info: Info, id: strawberry.ID) -> Account:
    """Let somebody in no more. They are signed out within the minutes an access token lives.

    id: whose account
    """
    account_id = row_id(id, "Account")
    async with info.context.transaction() as session:
        return await disable_account(session, account_id, now=info.context.now, by=info.context.viewer.id)


async def account_enable(info: Info, id: strawberry.ID) -> Account:
    """Let somebody in again.

    id: whose account
    """
    account_id = row_id(id, "Account")
    async with info.context.transaction() as session:
        return await enable_account(session, account_id)


def email(root: Account, info: Info) -> str | None:
    """The e-mail address; null for those it does not concern."""
    return root.email if sees(info, root) else None


def phone(root: Account, info: Info) -> str | None:
    """The phone number in E.164; null for those it does not concern."""
    return root.phone if sees(info, root) else None


async def addresses(accounts: Sequence[Account], info: Info) -> Sequence[Sequence[Address]]:
    """The address book, the default first; empty for those it does not concern."""
    seen = [account.id for account in accounts if sees(info, account)]
    books = await info.context.load.account_addresses.load_many(seen)
    by_account = dict(zip(seen, books, strict=True))
    return [by_account.get(account.id, []) for account in accounts]


def sees(info: Info, account: Account) -> bool:
    """An account is known by name to all who meet it, and in full to its owner and to the staff."""
    return info.context.viewer.owns(account.id) or info.context.viewer.is_staff


async def find_account(info: Info, account_id: int) -> Account | None:
    visible = info.context.viewer.owns(account_id) or info.context.viewer.role in SUPPORT
    return await info.context.load.account.load(account_id) if visible else None


async def find_address(info: Info, address_id: int) -> Address | None:
    address = await info.context.load.address.load(address_id)
    return address if address and info.context.viewer.owns(address.account_id) else None
