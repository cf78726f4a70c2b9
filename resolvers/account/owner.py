"""Resolvers of what owners change of their accounts; each change asks for the password again."""

from datetime import datetime

from domain.account import (
    WrongCode,
    WrongCredentials,
    attempts_key,
    change_contact,
    change_password,
    check_contact,
    clear_attempts,
    count_attempt,
    lock_account,
    reset_password,
    update_account,
    validate_password,
)
from domain.errors import Invalid
from domain.language import canonical_tag
from models import Account, VerificationPurpose
from resolvers.account.verification import StartedVerification, send_code, use_code_of
from resolvers.context import Info
from text.messages import LANGUAGES


async def account_update(
    info: Info, password: str, name: str | None = None, language: str | None = None
) -> Account:
    """Changes one's own name or language; what is not given stays.

    password: one's present password
    name: how to address them
    language: the language of notices, as a tag such as zh-CN or en
    """
    tag = None if language is None else check_language(language)
    await require_password(info, password)
    async with info.context.transaction() as session:
        return await update_account(session, info.context.viewer.id, name=name, language=tag)


async def contact_change(info: Info, contact: str, password: str) -> StartedVerification:
    """Sends a one-time code to another e-mail address or phone number, or to one's own to verify it;
    `contactVerify` then makes it one's own. The answer is the same where another account has it.

    contact: the e-mail address or phone number
    password: one's present password
    """
    normalized = check_contact(contact)
    await require_password(info, password)
    return await send_code(
        info, VerificationPurpose.CONTACT_CHANGE, normalized, account_id=info.context.viewer.id
    )


async def contact_verify(info: Info, token: str, code: str) -> Account:
    """Makes a verified e-mail address or phone number one's own; the former one is told by a notice.

    token: the token that `contactChange` answered with
    code: the one-time code that came to the e-mail address or phone number
    """
    async with info.context.transaction() as session:
        verification = await use_code_of(info, session, VerificationPurpose.CONTACT_CHANGE, token, code)
        account = await change_contact(session, verification, cause=info.context.cause)
    if account is None:
        raise WrongCode
    return account


async def password_change(info: Info, password: str, new_password: str) -> Account:
    """Changes one's own password and ends all other sign-ins.

    password: one's present password
    new_password: 8 to 128 characters
    """
    shop = info.context.shop
    validate_password(new_password, field="new_password")
    await require_password(info, password)
    password_hash = await shop.secrets.hash_password(new_password)
    async with info.context.transaction() as session:
        return await change_password(
            session,
            info.context.viewer.id,
            password_hash,
            family=info.context.family,
            key=f"password_changed:{shop.secrets.new_token()}",
            now=info.context.now,
        )


async def password_reset_start(info: Info, contact: str) -> StartedVerification:
    """Sends a one-time code for a new password. The answer is the same where nobody has an account with it.

    contact: the e-mail address or phone number of the account
    """
    return await send_code(info, VerificationPurpose.PASSWORD_RESET, check_contact(contact))


async def password_reset(info: Info, token: str, code: str, new_password: str) -> datetime:
    """Sets a new password without the old one and ends all sign-ins; sign in with it afterwards.

    token: the token that `passwordResetStart` answered with
    code: the one-time code that came to the e-mail address or phone number
    new_password: 8 to 128 characters
    """
    validate_password(new_password, field="new_password")
    password_hash = await info.context.shop.secrets.hash_password(new_password)
    now = info.context.now
    async with info.context.transaction() as session:
        verification = await use_code_of(info, session, VerificationPurpose.PASSWORD_RESET, token, code)
        account = await reset_password(session, verification, password_hash, now=now)
    if account is None:
        raise WrongCode
    return now


async def require_password(info: Info, password: str) -> None:
    """Raises WrongCredentials unless it is the viewer's password, and LimitReached after too many tries."""
    account_id, address = info.context.viewer.id, info.context.place.address
    key, now = attempts_key(account_id), info.context.now
    async with info.context.transaction() as session:
        await count_attempt(session, key, address, now=now, field="password")
        account = await lock_account(session, account_id)
    if not await info.context.shop.secrets.verify_password(account.password_hash, password):
        raise WrongCredentials("This is not your password.", field=("password",))
    async with info.context.transaction() as session:
        await clear_attempts(session, key, address, now=now)


def check_language(text: str) -> str:
    """The tag of a language that the shop has; Invalid for any other text."""
    if text.partition("-")[0].lower() not in LANGUAGES or not text.replace("-", "").isalnum():
        raise Invalid("The shop has texts in {languages}.", languages=sorted(LANGUAGES), field=("language",))
    return canonical_tag(text)
