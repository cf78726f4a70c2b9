"""What providers keep of payments: posted to the ledger once, whoever tells it first."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.ledger import NewPosting, write_postings
from models import LedgerAccount, LedgerEntry, Money, Payment, PaymentMethod, Posting, PostingKind

CORRECTED = "|"
"""What parts the reference of a fee from that of its correction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderFee:
    """A fee for an attempt, a refund or a dispute; negative where it was given back."""

    order_id: int
    payment_id: int
    reference: str
    fee: Money


def fee_key(reference: str) -> str:
    """The key of the posting of the fee for an attempt, a refund or a dispute."""
    return f"fee:{reference}"


def dispute_fee_reference(method: PaymentMethod, reference: str) -> str:
    """The reference of the fee for a dispute, whose name is the provider's."""
    return f"dispute:{method.value}:{reference}"


async def find_posted_fees(session: AsyncSession, order_ids: Collection[int]) -> dict[str, int]:
    """Minor units of the fees that were posted for some orders, corrections included, by reference."""
    rows = await session.execute(
        select(Posting.key, func.sum(LedgerEntry.amount))
        .join(LedgerEntry, LedgerEntry.posting_id == Posting.id)
        .where(Posting.order_id.in_(order_ids), LedgerEntry.account == LedgerAccount.FEES)
        .group_by(Posting.key)
    )
    fees = Counter[str]()
    for key, amount in rows:
        fees[key.removeprefix("fee:").partition(CORRECTED)[0]] += int(amount)
    return dict(fees)


async def post_fees(session: AsyncSession, fees: Sequence[ProviderFee], *, now: datetime) -> int:
    """Post those of these fees that were not posted before; returns how many they are."""
    postings = [
        NewPosting(
            order_id=each.order_id,
            payment_id=each.payment_id,
            kind=PostingKind.FEE_CHARGED if each.fee.minor > 0 else PostingKind.FEE_RETURNED,
            amount=Money(abs(each.fee.minor), each.fee.currency),
            key=fee_key(each.reference),
        )
        for each in fees
        if each.fee.minor
    ]
    posted = await write_postings(session, postings, now=now)
    changes = [
        {"of_payment": each.payment_id, "fee": each.fee.minor}
        for each in fees
        if fee_key(each.reference) in posted
    ]
    if changes:
        table = Payment.__table__
        await (await session.connection()).execute(
            update(Payment)
            .where(table.c.id == bindparam("of_payment"))
            .values(fee_amount=table.c.fee_amount + bindparam("fee")),
            changes,
        )
    return len(posted)
