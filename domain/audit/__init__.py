"""Do all books agree? Every rule is one statement over whole tables; the rows it finds are wrong.

The database compares, so that it costs no memory here however many orders there are. What is
compared must be of one moment: give it a session of `Database.snapshot`.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.audit import goods, money, offers, orders


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A row in which something else stands than follows from the other books."""

    rule: str
    row: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.row}: expected {self.expected}, found {self.found}"


RULES: Mapping[str, Callable[[], Select[Any]]] = {
    "a posting balances": money.unbalanced,
    "captured as posted": money.wrongly_captured,
    "refunds as promised": money.wrongly_promised,
    "refunded as posted": money.wrongly_refunded,
    "total was invoiced": money.wrong_invoice,
    "sold is the total less what goes back": money.wrong_sales,
    "payment status as the books say": money.wrong_status,
    "goods are the lines": orders.wrong_goods,
    "discount is that of the lines": orders.wrong_discount,
    "shipping is the fees": orders.wrong_shipping,
    "total is the payments": orders.wrong_payments,
    "cancelled came off or went back": orders.wrong_cancellations,
    "versions without a gap": orders.wrong_versions,
    "lines are what is sent": orders.wrongly_sent,
    "on hand as moved": goods.wrong_on_hand,
    "reserved as moved": goods.wrong_reserved,
    "damaged as moved": goods.wrong_damaged,
    "moved where there is a level": goods.moved_nowhere,
    "reserved as ordered": goods.wrongly_reserved,
    "offers give what orders save": offers.wrongly_saved,
    "offers used as counted": offers.wrongly_used,
    "offers had as counted": offers.wrongly_had,
    "flash sales sold as counted": offers.wrong_shares,
}


async def audit(session: AsyncSession) -> list[Disagreement]:
    """Everything that does not agree; an empty list is a sound shop."""
    return [each async for each in disagreements(session)]


async def first_disagreement(session: AsyncSession) -> Disagreement | None:
    """The first thing that does not agree; the rules after it are not asked."""
    for rule, wrong in RULES.items():
        found = (await session.execute(asked(wrong(), limit=1))).first()
        if found is not None:
            return Disagreement(rule, *map(str, found))
    return None


async def disagreements(session: AsyncSession) -> AsyncIterator[Disagreement]:
    """What does not agree, rule by rule and in the order of the rows, as the database finds it."""
    for rule, wrong in RULES.items():
        async for found in await session.stream(asked(wrong())):
            yield Disagreement(rule, *map(str, found))


def asked(wrong: Select[Any], *, limit: int | None = None) -> Select[Any]:
    """The wrong rows in order.

    MATERIALIZED: wrong rows are rare, but PostgreSQL takes a `!=` for true nearly everywhere, and would
    look for the one that is wanted row by row.
    """
    rows = wrong.cte("wrong").prefix_with("MATERIALIZED")
    return select(rows.c.row, rows.c.expected, rows.c.found).order_by(rows.c.row).limit(limit)
