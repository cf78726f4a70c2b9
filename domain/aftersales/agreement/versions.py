"""Versions of the rules by which the shop agrees by itself: each change adds one; none is ever changed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.reasons import CLAIM_REASONS, REASONS
from domain.cause import Cause
from domain.errors import Conflict, Invalid, LimitReached, collect_refusals
from models import AgreementMoment, AgreementRule, CurrencyCode, TicketReason, TicketType
from models.agreement_rule import SILENCE_CODE

RULES_LIMIT = 50
TITLE_LIMIT = 200
TICKETS_LIMIT = 10_000
"""Tickets a rule agrees to in a day at most, and the largest number of any of its conditions."""
AMOUNT_LIMIT = 10**12
"""The largest amount of a rule, in minor units."""
CODE = re.compile(r"[a-z][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True)
class AgreementRuleDraft:
    """What a version of a rule says."""

    code: str
    title: str
    moment: AgreementMoment
    types: tuple[TicketType, ...]
    reasons: tuple[TicketReason, ...]
    amounts: Mapping[CurrencyCode, int]
    daily_amounts: Mapping[CurrencyCode, int]
    daily_tickets: int
    needs_picture: bool = False
    orders_at_least: int = 0
    tickets_at_most: int | None = None
    active: bool = True


async def save_agreement_rule(
    session: AsyncSession, draft: AgreementRuleDraft, *, version: int | None, cause: Cause
) -> AgreementRule:
    """Add a version of a rule; what earlier ones have decided stays as it was.

    `version` is the one that was read, None for a new rule: Conflict when there is another by now.
    """
    await lock_rules(session)
    with collect_refusals() as check:
        with check:
            check_words(draft)
        with check:
            check_numbers(draft)
    present = await session.scalar(
        select(func.max(AgreementRule.version)).where(AgreementRule.code == draft.code)
    )
    if present != version:
        raise Conflict("Somebody has changed this rule meanwhile; read it again.", field=("version",))
    if present is None:
        codes = await session.scalar(select(func.count(AgreementRule.code.distinct())))
        if (codes or 0) >= RULES_LIMIT:
            raise LimitReached("At most {limit} rules can be kept.", limit=RULES_LIMIT)
    rule = AgreementRule(
        code=draft.code,
        version=(present or 0) + 1,
        title=draft.title.strip(),
        moment=draft.moment,
        types=[each.value for each in draft.types],
        reasons=[each.value for each in draft.reasons],
        amounts={currency.value: amount for currency, amount in draft.amounts.items()},
        daily_amounts={currency.value: amount for currency, amount in draft.daily_amounts.items()},
        daily_tickets=draft.daily_tickets,
        needs_picture=draft.needs_picture,
        orders_at_least=draft.orders_at_least,
        tickets_at_most=draft.tickets_at_most,
        active=draft.active,
        author_id=cause.by,
        created_at=cause.now,
    )
    session.add(rule)
    await session.flush()
    return rule


async def lock_rules(session: AsyncSession) -> None:
    """Let no other transaction change a rule, or decide by one, before this one has ended.

    What a rule has given today is a sum: two that decide at once would both find room for the last one.
    """
    await session.execute(
        select(AgreementRule.id)
        .where(AgreementRule.code == SILENCE_CODE, AgreementRule.version == 1)
        .with_for_update()
    )


def check_words(draft: AgreementRuleDraft) -> None:
    with collect_refusals() as check:
        if not CODE.fullmatch(draft.code):
            check.add(Invalid("A code is a to z, digits and dashes, at most 40.", field=("code",)))
        if not 1 <= len(draft.title.strip()) <= TITLE_LIMIT:
            check.add(Invalid("Write 1 to {limit} characters.", limit=TITLE_LIMIT, field=("title",)))
        fitting = set(draft.types) - {TicketType.QUESTION}
        if not draft.types or set(draft.types) != fitting:
            check.add(Invalid("Name types of ticket it agrees to; a question is answered.", field=("types",)))
        if not draft.reasons or not set(draft.reasons) <= CLAIM_REASONS:
            check.add(Invalid("Name the reasons it is about; a question is answered.", field=("reasons",)))
        elif fitting and not any(REASONS[reason].types & fitting for reason in draft.reasons):
            check.add(Invalid("None of these reasons fits these types.", field=("reasons",)))


def check_numbers(draft: AgreementRuleDraft) -> None:
    with collect_refusals() as check:
        for name, amounts in (("amounts", draft.amounts), ("daily_amounts", draft.daily_amounts)):
            for index, amount in enumerate(amounts.values()):
                if not 0 <= amount <= AMOUNT_LIMIT:
                    check.add(Invalid("A limit is an amount from zero up.", field=(name, index, "amount")))
        if not draft.daily_amounts:
            check.add(Invalid("Name what it may give in a day, in each currency.", field=("daily_amounts",)))
        for name, number in (
            ("daily_tickets", draft.daily_tickets),
            ("orders_at_least", draft.orders_at_least),
            ("tickets_at_most", draft.tickets_at_most or 0),
        ):
            if not 0 <= number <= TICKETS_LIMIT:
                check.add(Invalid("A number from 0 to {limit}.", limit=TICKETS_LIMIT, field=(name,)))
