"""Asking for one-time codes and using them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain.account import VerificationDraft, start_verification, use_code
from domain.errors import LimitReached
from gateways.buckets import Rate
from gateways.secrets import fingerprint_of, verify_code
from models import Verification, VerificationPurpose
from resolvers.context import Info

HOUR_SECONDS = 3_600


@dataclass(frozen=True, slots=True)
class StartedVerification:
    """A one-time code that is on its way; only the hash of the token is stored."""

    token: str
    expires_at: datetime


async def send_code(
    info: Info,
    purpose: VerificationPurpose,
    contact: str,
    *,
    account_id: int | None = None,
    name: str | None = None,
    password_hash: str | None = None,
) -> StartedVerification:
    """Send a one-time code to a contact, or tell its owner why not; the answer does not say which."""
    await limit_codes(info, contact)
    secrets = info.context.shop.secrets
    token, nonce = secrets.new_token(), secrets.new_token()
    draft = VerificationDraft(
        purpose,
        contact,
        fingerprint_of(token),
        nonce,
        info.context.viewer.language,
        account_id=account_id,
        name=name,
        password_hash=password_hash,
    )
    async with info.context.transaction() as session:
        verification = await start_verification(session, draft, now=info.context.now)
    return StartedVerification(token, verification.expires_at)


async def limit_codes(info: Info, contact: str) -> None:
    """Raises LimitReached when too many codes were asked for: by this address, for this contact, or both."""
    address, limits = info.context.place.address, info.context.shop.settings.accounts
    for key, limit in (
        (f"codes:{address} {contact}", limits.codes_per_pair),
        (f"codes:address {address}", limits.codes_per_address),
        (f"codes:contact {contact}", limits.codes_per_contact),
    ):
        taken = await info.context.shop.buckets.take(key, 1, Rate(limit, limit / HOUR_SECONDS))
        if not taken.allowed:
            raise LimitReached(
                "Too many codes were asked for. Try again later.", retry_after_seconds=taken.retry_after
            )


async def use_code_of(
    info: Info, session: AsyncSession, purpose: VerificationPurpose, token: str, code: str
) -> Verification | None:
    """Try a code within a transaction that commits either way; None unless it is right."""
    keys = info.context.shop.settings.verifying_keys()

    def is_right(verification: Verification) -> bool:
        return verify_code(keys, code, purpose.value, verification.contact, verification.nonce)

    return await use_code(session, fingerprint_of(token), purpose, is_right=is_right, now=info.context.now)
