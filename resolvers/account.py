"""Resolvers of accounts, sessions and address books."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import strawberry
from sqlalchemy.ext.asyncio import AsyncSession

import models
from domain.account import (
    SignedOut,
    WrongCredentials,
    begin_sign_in,
    complete_sign_in,
    create_staff,
    disable_account,
    enable_account,
    open_session,
    register_account,
    revoke_session,
    rotate_session,
    validate_password,
)
from domain.address import remove_address, save_address
from domain.cart import merge_guest_cart
from domain.cause import Cause
from domain.contact import normalize_login
from gateways.secrets import fingerprint_of
from gateways.tokens import AccessToken, write_token
from models import Account, Address, Role
from resolvers.context import Info, Viewer
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.inputs.account import PostalAddressInput


@dataclass(frozen=True, slots=True)
class SignInResult:
    """The tokens of a sign-in; only their hashes are stored."""

    access_token: str
    refresh_token: str
    expires_at: datetime
    account: Account


async def viewer(info: Info) -> Viewer:
    """Who sends the request; a guest has no account."""
    return info.context.viewer


async def account_register(
    info: Info, name: str, password: str, email: str | None = None, phone: str | None = None
) -> SignInResult:
    """Creates a customer account and signs in; the guest's cart becomes the customer's.

    name: how to address them
    password: 8 to 128 characters
    email: their e-mail address; this or a phone number is needed
    phone: their phone number; without a country code it is a Chinese one
    """
    password_hash = await info.context.shop.secrets.hash_password(validate_password(password))
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
        return await sign_in(info, session, account)


async def session_create(info: Info, login: str, password: str) -> SignInResult:
    """Signs in and merges the guest's cart into the customer's; after ten failures one must wait.

    login: the e-mail address or phone number
    password: the password of the account
    """
    normalized = normalize_login(login)
    if normalized is None:
        raise WrongCredentials
    async with info.context.transaction() as session:
        candidate = await begin_sign_in(session, normalized, now=info.context.now)
    is_right = await info.context.shop.secrets.verify_password(
        candidate.password_hash if candidate else None, password
    )
    if candidate is None or not is_right:
        raise WrongCredentials
    async with info.context.transaction() as session:
        account = await complete_sign_in(session, candidate.id, normalized, now=info.context.now)
        return await sign_in(info, session, account)


async def session_refresh(info: Info, refresh_token: str) -> SignInResult:
    """Exchanges the last refresh token for new tokens; a token used twice ends the whole sign-in.

    refresh_token: the last one of this sign-in
    """
    shop, fresh = info.context.shop, info.context.shop.secrets.new_token()
    async with info.context.transaction() as session:
        rotated = await rotate_session(
            session,
            token_hash=fingerprint_of(refresh_token),
            new_token_hash=fingerprint_of(fresh),
            now=info.context.now,
            lifetime=shop.settings.tokens.refresh_lifetime,
        )
        account = await session.get_one(Account, rotated.account_id) if rotated else None
    if rotated is None or account is None:
        raise SignedOut
    return issue_tokens(info, account, rotated.family, fresh)


async def session_revoke(info: Info, refresh_token: str) -> bool:
    """Signs out: no refresh token of this sign-in is valid any more.

    refresh_token: any one of this sign-in
    """
    async with info.context.transaction() as session:
        await revoke_session(session, token_hash=fingerprint_of(refresh_token), now=info.context.now)
    return True


async def sign_in(info: Info, session: AsyncSession, account: Account) -> SignInResult:
    """Open a session for a locked account, and merge the guest's cart into a customer's."""
    secrets, cart_token = info.context.shop.secrets, info.context.viewer.cart_token
    family, refresh_token = secrets.new_token(), secrets.new_token()
    await open_session(
        session,
        account,
        family=family,
        token_hash=fingerprint_of(refresh_token),
        now=info.context.now,
        lifetime=info.context.shop.settings.tokens.refresh_lifetime,
    )
    if cart_token and account.role is Role.CUSTOMER:
        await merge_guest_cart(
            session,
            token_hash=fingerprint_of(cart_token),
            account_id=account.id,
            cause=Cause(info.context.now),
        )
    return issue_tokens(info, account, family, refresh_token)


def issue_tokens(info: Info, account: Account, family: str, refresh_token: str) -> SignInResult:
    """An access token beside the refresh token; the rest of the request has this account as its viewer."""
    info.context.viewer = replace(info.context.viewer, role=account.role, account_id=account.id)
    settings, now = info.context.shop.settings, info.context.now
    token = AccessToken(account.id, account.role, family, now + settings.tokens.access_lifetime)
    access_token = write_token(settings.signing_key(), token, now=now)
    return SignInResult(access_token, refresh_token, token.expires_at, account)


async def address_save(
    info: Info,
    address: PostalAddressInput,
    id: strawberry.ID | None = None,
    is_default: bool = False,
) -> Address:
    """Adds an address to one's own address book, or changes one.

    address: the whole address
    id: the address to change; a new one is added without it
    is_default: whether it becomes the default; the first address always does
    """
    address_id = None if id is None else row_id(id, "Address")
    async with info.context.transaction() as session:
        return await save_address(
            session,
            account_id=info.context.viewer.id,
            address_id=address_id,
            postal=address.postal(),
            is_default=is_default,
            now=info.context.now,
        )


async def address_remove(info: Info, id: strawberry.ID) -> Account:
    """Removes an address from one's own address book; orders keep the address they were sent to.

    id: the address
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
    """Creates an account for a member of staff.

    role: their role
    name: how to address them
    password: 8 to 128 characters
    email: their e-mail address; this or a phone number is needed
    phone: their phone number; without a country code it is a Chinese one
    """
    password_hash = await info.context.shop.secrets.hash_password(validate_password(password))
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
    """Disables an account; it is signed out when its access token expires, within minutes.

    id: the account
    """
    account_id = row_id(id, "Account")
    async with info.context.transaction() as session:
        return await disable_account(session, account_id, cause=info.context.cause)


async def account_enable(info: Info, id: strawberry.ID) -> Account:
    """Enables a disabled account again.

    id: the account
    """
    account_id = row_id(id, "Account")
    async with info.context.transaction() as session:
        return await enable_account(session, account_id)


def email(root: Account, info: Info) -> str | None:
    """The e-mail address; null unless it is the viewer's own or the viewer is staff."""
    return root.email if may_see_contact(info, root) else None


def phone(root: Account, info: Info) -> str | None:
    """The phone number in E.164; null unless it is the viewer's own or the viewer is staff."""
    return root.phone if may_see_contact(info, root) else None


async def addresses(accounts: Sequence[Account], info: Info) -> Sequence[Sequence[Address]]:
    """The address book, the default first; empty unless it is the viewer's own or the viewer is staff."""
    visible = [account.id for account in accounts if may_see_contact(info, account)]
    books = await info.context.load.account_addresses.load_many(visible)
    by_account = dict(zip(visible, books, strict=True))
    return [by_account.get(account.id, []) for account in accounts]


def may_see_contact(info: Info, account: Account) -> bool:
    """Whether it is the viewer's own account or the viewer may see contacts; others see only the name."""
    return info.context.viewer.owns(account.id) or info.context.viewer.may(Permission.CONTACT_VIEW)


async def find_account(info: Info, account_id: int) -> Account | None:
    visible = info.context.viewer.owns(account_id) or info.context.viewer.may(Permission.ACCOUNT_VIEW)
    return await info.context.load.account.load(account_id) if visible else None


async def find_address(info: Info, address_id: int) -> Address | None:
    address = await info.context.load.address.load(address_id)
    return address if address and info.context.viewer.owns(address.account_id) else None
