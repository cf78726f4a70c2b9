"""Resolvers of registration, sign-in and sign-ins."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import strawberry
from sqlalchemy.ext.asyncio import AsyncSession

from domain.account import (
    SignedOut,
    WrongCode,
    WrongCredentials,
    begin_sign_in,
    complete_sign_in,
    end_other_sign_ins,
    end_sign_in,
    open_session,
    register_verified_account,
    revoke_session,
    rotate_session,
    validate_password,
)
from domain.account.devices import register_device_token, remove_device_token
from domain.account.second_factor import has_second_factor
from domain.account.takeover import take_over_guest_orders
from domain.cart import merge_guest_cart
from domain.cause import Cause
from domain.contact import normalize_email, normalize_login, normalize_name, normalize_phone
from domain.errors import Invalid, collect_refusals
from gateways.secrets import fingerprint_of
from gateways.tokens import AccessToken, write_token
from models import Account, Role, SignIn, VerificationPurpose
from resolvers.account.second_factor import check_second_factor
from resolvers.account.verification import StartedVerification, send_code, use_code_of
from resolvers.context import Info
from resolvers.ids import row_id
from resolvers.rates import LimitedAction, limit_action


@dataclass(frozen=True, slots=True)
class SignInResult:
    """The tokens of a sign-in; only their hashes are stored."""

    access_token: str
    refresh_token: str
    expires_at: datetime
    account: Account


async def account_register(
    info: Info, name: str, password: str, email: str | None = None, phone: str | None = None
) -> StartedVerification:
    """Sends a one-time code to an e-mail address or phone number; `registrationConfirm` makes the account.
    The answer is the same where somebody has an account already, who is then told so by a notice.

    name: how to address them
    password: 8 to 128 characters
    email: their e-mail address; either this or a phone number
    phone: their phone number; without a country code it is a Chinese one
    """
    with collect_refusals() as check:
        normalized_name = check.value(normalize_name, "", name)
        with check:
            validate_password(password)
        if (email is None) == (phone is None):
            raise Invalid("Give either an e-mail address or a phone number.", field=("email",))
        contact = normalize_email(email) if email is not None else normalize_phone(phone or "")
    await limit_action(info.context.shop, LimitedAction.REGISTRATION, by=info.context.place.address)
    return await send_code(
        info,
        VerificationPurpose.REGISTRATION,
        contact,
        name=normalized_name,
        password_hash=await info.context.shop.secrets.hash_password(password),
    )


async def registration_confirm(info: Info, token: str, code: str) -> SignInResult:
    """Creates the customer account that was asked for and signs in; the guest's cart becomes the customer's.

    token: the token that `accountRegister` answered with
    code: the one-time code that came to the e-mail address or phone number
    """
    async with info.context.transaction() as session:
        verification = await use_code_of(info, session, VerificationPurpose.REGISTRATION, token, code)
        account = await register_verified_account(session, verification, now=info.context.now)
        result = await sign_in(info, session, account) if account else None
    if result is None:
        raise WrongCode
    return result


async def session_create(
    info: Info, login: str, password: str, second_factor: str | None = None
) -> SignInResult:
    """Signs in and merges the guest's cart into the customer's. After several failures in a row from one
    network address one must wait, longer each time.

    login: the e-mail address or phone number
    password: the password of the account
    second_factor: the code that the authenticator app shows, or a recovery code; asked for by
        SECOND_FACTOR_REQUIRED where the account has one
    """
    normalized = normalize_login(login)
    if normalized is None:
        raise WrongCredentials
    address = info.context.place.address
    await limit_action(info.context.shop, LimitedAction.SIGN_IN, by=address)
    async with info.context.transaction() as session:
        candidate = await begin_sign_in(session, normalized, address, now=info.context.now)
    is_right = await info.context.shop.secrets.verify_password(
        candidate.password_hash if candidate else None, password
    )
    if candidate is None or not is_right:
        raise WrongCredentials
    async with info.context.transaction() as session:
        account = await complete_sign_in(
            session,
            candidate.id,
            normalized,
            address,
            password_hash=candidate.password_hash,
            now=info.context.now,
        )
        await check_second_factor(info, session, account.id, second_factor)
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
            place=info.context.place,
        )
        account = await session.get_one(Account, rotated.account_id) if rotated else None
        must_enrol = account is not None and await must_enrol_first(info, session, account)
    if rotated is None or account is None:
        raise SignedOut
    return issue_tokens(info, account, rotated.family, fresh, must_enrol=must_enrol)


async def session_revoke(info: Info, refresh_token: str) -> bool:
    """Signs out: no refresh token of this sign-in is valid any more.

    refresh_token: any one of this sign-in
    """
    async with info.context.transaction() as session:
        await revoke_session(session, token_hash=fingerprint_of(refresh_token), now=info.context.now)
    return True


async def sign_in(info: Info, session: AsyncSession, account: Account) -> SignInResult:
    """Open a session for a locked account; a customer's gets the guest's cart, and the orders of guests who
    were reached at its verified contacts.
    """
    secrets, cart_token = info.context.shop.secrets, info.context.viewer.cart_token
    family, refresh_token = secrets.new_token(), secrets.new_token()
    await open_session(
        session,
        account,
        family=family,
        token_hash=fingerprint_of(refresh_token),
        now=info.context.now,
        lifetime=info.context.shop.settings.tokens.refresh_lifetime,
        place=info.context.place,
    )
    if cart_token and account.role is Role.CUSTOMER:
        await merge_guest_cart(
            session,
            token_hash=fingerprint_of(cart_token),
            account_id=account.id,
            cause=Cause(info.context.now),
        )
    await take_over_guest_orders(session, account, now=info.context.now)
    must_enrol = await must_enrol_first(info, session, account)
    return issue_tokens(info, account, family, refresh_token, must_enrol=must_enrol)


async def must_enrol_first(info: Info, session: AsyncSession, account: Account) -> bool:
    """Whether somebody may do nothing before they have set up a second factor."""
    if not info.context.shop.settings.accounts.totp_required or account.role is Role.CUSTOMER:
        return False
    return not await has_second_factor(session, account.id)


def issue_tokens(
    info: Info, account: Account, family: str, refresh_token: str, *, must_enrol: bool
) -> SignInResult:
    """An access token beside the refresh token; the rest of the request has this account as its viewer."""
    settings, now = info.context.shop.settings, info.context.now
    token = AccessToken(account.id, account.role, family, now + settings.tokens.access_lifetime)
    info.context.viewer = replace(
        info.context.viewer,
        role=account.role,
        account_id=account.id,
        must_enrol=must_enrol,
        token=token,
    )
    access_token = write_token(settings.signing_key(), token, now=now)
    return SignInResult(access_token, refresh_token, token.expires_at, account)


async def sign_in_end(info: Info, id: strawberry.ID) -> Account:
    """Ends one of one's own sign-ins, such as that on a lost phone; its tokens are valid no more.

    id: the sign-in
    """
    sign_in_id = row_id(id, "SignIn")
    async with info.context.transaction() as session:
        return await end_sign_in(session, info.context.viewer.id, sign_in_id, now=info.context.now)


async def other_sign_ins_end(info: Info) -> Account:
    """Ends all of one's own sign-ins but the one that sends the request."""
    async with info.context.transaction() as session:
        return await end_other_sign_ins(
            session, info.context.viewer.id, family=info.context.family, now=info.context.now
        )


async def device_token_register(info: Info, token: str) -> SignIn:
    """Sends push notices to the app that sends this request, until it signs out or is signed out.

    token: what the push service of the device calls the app
    """
    async with info.context.transaction() as session:
        return await register_device_token(
            session, info.context.viewer.id, token, family=info.context.family, now=info.context.now
        )


async def device_token_remove(info: Info) -> SignIn:
    """Sends no more push notices to the app that sends this request."""
    async with info.context.transaction() as session:
        return await remove_device_token(session, info.context.viewer.id, family=info.context.family)


async def gets_push_notices(sign_ins: Sequence[SignIn], info: Info) -> Sequence[bool]:
    """Whether push notices are sent to this device."""
    found = await info.context.load.device_token.load_many([each.id for each in sign_ins])
    return [token is not None for token in found]


async def sign_ins(accounts: Sequence[Account], info: Info) -> Sequence[Sequence[SignIn]]:
    """The sign-ins that have not ended, the latest used first; empty unless it is the viewer's own."""
    own = [account.id for account in accounts if info.context.viewer.owns(account.id)]
    found = dict(zip(own, await info.context.load.account_sign_ins.load_many(own), strict=True))
    now = info.context.now
    return [
        [sign_in for sign_in in found.get(account.id, []) if sign_in.expires_at > now] for account in accounts
    ]


def is_current(root: SignIn, info: Info) -> bool:
    """Whether it is the one that sends the request."""
    return root.family == info.context.family


async def find_sign_in(info: Info, sign_in_id: int) -> SignIn | None:
    found = await info.context.load.sign_in.load(sign_in_id)
    return found if found and info.context.viewer.owns(found.account_id) else None
