"""Rules that choose carriers: saving, archiving and restoring them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Invalid, LimitReached, NotFound, Taken, WrongState, collect_refusals
from domain.shipping import ShippingRegion
from domain.shipping.zones import normalize_regions
from domain.versions import check_version
from models import Carrier, CarrierCode, CarrierPreference, CarrierRule, CurrencyCode

RULES_LIMIT = 100
CARRIERS_OF_RULE_LIMIT = 20
NAME_LIMIT = 100
GRAMS_LIMIT = 1_000_000
AMOUNT_LIMIT = 10**9
HOURS_LIMIT = 24 * 60
WHOLE = 100
"""Percent."""


@dataclass(frozen=True, slots=True)
class RuleCarrier:
    """A carrier of a rule, and its share of the parcels in percent."""

    code: CarrierCode
    share: int | None = None


@dataclass(frozen=True, slots=True)
class CarrierRuleDraft:
    """All that is saved of a rule; amounts are minor units."""

    name: str
    carriers: Sequence[RuleCarrier]
    preference: CarrierPreference = CarrierPreference.ORDER
    regions: Sequence[ShippingRegion] = ()
    grams_from: int | None = None
    grams_below: int | None = None
    currency: CurrencyCode | None = None
    goods_from_amount: int | None = None
    goods_below_amount: int | None = None
    is_cash: bool | None = None
    price_limit_amount: int | None = None
    promised_within_hours: int | None = None
    position: int | None = None


@dataclass(slots=True)
class KnownRules:
    """What a draft is compared with."""

    rules: list[CarrierRule] = field(default_factory=list)
    carriers: dict[str, Carrier] = field(default_factory=dict)


async def save_carrier_rule(
    session: AsyncSession, draft: CarrierRuleDraft, *, rule_id: int | None, version: int | None, cause: Cause
) -> CarrierRule:
    """Add a rule, or replace one; Conflict unless `version` is its current one.

    Shares that are changed are counted anew.
    """
    known = await lock_rules(session)
    rule = next((each for each in known.rules if each.id == rule_id), None)
    if rule_id is not None:
        if rule is None:
            raise NotFound("carrier rule", field=("id",))
        if version is None:
            raise Invalid("Say which version you have read.", field=("version",))
        check_version(rule, version)
        if rule.archived_at is not None:
            raise WrongState("This rule is archived; restore it first.", field=("id",))
    values = normalize_rule(draft, known, rule)
    if rule is None:
        if len(known.rules) >= RULES_LIMIT:
            raise LimitReached("A shop has at most {limit} rules for carriers.", limit=RULES_LIMIT)
        last = max((each.position for each in known.rules), default=0)
        rule = CarrierRule(**values, position=draft.position or last + 1, chosen={}, version=0)
        session.add(rule)
    else:
        if rule.shares != values["shares"]:
            rule.chosen = {}
        for name, value in values.items():
            setattr(rule, name, value)
        rule.position = draft.position or rule.position
    mark_changed(rule, cause)
    await session.flush()
    return rule


async def archive_carrier_rule(
    session: AsyncSession, rule_id: int, *, version: int, cause: Cause
) -> CarrierRule:
    """Stop choosing carriers by a rule."""
    rule = await lock_rule(session, rule_id, version=version)
    if rule.archived_at is None:
        rule.archived_at = cause.now
        mark_changed(rule, cause)
    return rule


async def restore_carrier_rule(
    session: AsyncSession, rule_id: int, *, version: int, cause: Cause
) -> CarrierRule:
    """Choose carriers by an archived rule again; Invalid where one of them has been archived since."""
    rule = await lock_rule(session, rule_id, version=version)
    if rule.archived_at is not None:
        known = await lock_rules(session)
        check_carriers([RuleCarrier(CarrierCode(code)) for code in rule.carriers], known)
        rule.archived_at = None
        mark_changed(rule, cause)
    return rule


def mark_changed(rule: CarrierRule, cause: Cause) -> None:
    rule.version += 1
    rule.changed_at, rule.changed_by_id = cause.now, cause.by


async def lock_rules(session: AsyncSession) -> KnownRules:
    """All rules and carriers, locked: no rule is saved with a carrier that is being archived."""
    carriers = await session.scalars(select(Carrier).order_by(Carrier.id).with_for_update())
    rules = await session.scalars(
        select(CarrierRule)
        .order_by(CarrierRule.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return KnownRules(list(rules), {each.code: each for each in carriers})


async def lock_rule(session: AsyncSession, rule_id: int, *, version: int) -> CarrierRule:
    rule = await session.get(CarrierRule, rule_id, with_for_update=True, populate_existing=True)
    if rule is None:
        raise NotFound("carrier rule", field=("id",))
    check_version(rule, version)
    return rule


def normalize_rule(draft: CarrierRuleDraft, known: KnownRules, rule: CarrierRule | None) -> dict[str, object]:
    """The columns of a rule; Invalid with everything that is wrong with it."""
    name = " ".join(draft.name.split())
    regions: list[str] = []
    with collect_refusals() as check:
        if not 1 <= len(name) <= NAME_LIMIT:
            check.add(Invalid("A name has 1 to {limit} characters.", limit=NAME_LIMIT, field=("name",)))
        if any(each.name == name and each is not rule for each in known.rules):
            check.add(Taken("Another rule has this name.", field=("name",)))
        if draft.position is not None and not 1 <= draft.position <= RULES_LIMIT:
            check.add(Invalid("A position is 1 to {limit}.", limit=RULES_LIMIT, field=("position",)))
        if draft.regions:
            regions = check.value(normalize_regions, regions, draft.regions)
        with check:
            check_carriers(draft.carriers, known)
        with check:
            check_shares(draft)
        with check:
            check_range("grams", draft.grams_from, draft.grams_below, GRAMS_LIMIT)
        with check:
            check_range("goods", draft.goods_from_amount, draft.goods_below_amount, AMOUNT_LIMIT)
        with check:
            check_terms(draft)
    return {
        "name": name,
        "regions": regions,
        "grams_from": draft.grams_from,
        "grams_below": draft.grams_below,
        "currency": draft.currency,
        "goods_from_amount": draft.goods_from_amount,
        "goods_below_amount": draft.goods_below_amount,
        "is_cash": draft.is_cash,
        "price_limit_amount": draft.price_limit_amount,
        "promised_within_hours": draft.promised_within_hours,
        "preference": draft.preference,
        "carriers": [each.code for each in draft.carriers],
        "shares": {each.code: each.share for each in draft.carriers if each.share is not None},
    }


def check_carriers(carriers: Sequence[RuleCarrier], known: KnownRules) -> None:
    if not 1 <= len(carriers) <= CARRIERS_OF_RULE_LIMIT:
        raise LimitReached(
            "A rule has 1 to {limit} carriers.", limit=CARRIERS_OF_RULE_LIMIT, field=("carriers",)
        )
    with collect_refusals() as check:
        seen: set[str] = set()
        for index, each in enumerate(carriers):
            found, path = known.carriers.get(each.code), ("carriers", index, "code")
            if found is None:
                check.add(NotFound("carrier", field=path))
            elif found.archived_at is not None:
                check.add(WrongState("{name} takes no more parcels.", name=found.name, field=path))
            if each.code in seen:
                check.add(Invalid("A rule names each carrier once.", field=path))
            seen.add(each.code)


def check_shares(draft: CarrierRuleDraft) -> None:
    """Refuse shares where they do not decide, and such as no parcels can have."""
    by_share = draft.preference is CarrierPreference.SHARE
    with collect_refusals() as check:
        for index, each in enumerate(draft.carriers):
            path = ("carriers", index, "share")
            if by_share and each.share is None:
                check.add(Invalid("Give each carrier its share.", field=path))
            elif not by_share and each.share is not None:
                check.add(Invalid("Shares decide only where they are preferred.", field=path))
            elif each.share is not None and not 1 <= each.share <= WHOLE:
                check.add(Invalid("A share is 1 to {limit} percent.", limit=WHOLE, field=path))
        if sum(each.share or 0 for each in draft.carriers) > WHOLE:
            check.add(Invalid("All shares are {limit} percent at most.", limit=WHOLE, field=("carriers",)))


def check_range(name: str, least: int | None, below: int | None, limit: int) -> None:
    """Refuse a range that is upside down, or beyond all parcels."""
    for suffix, value in (("from", least), ("below", below)):
        if value is not None and not 0 <= value <= limit:
            raise Invalid("This is out of bounds.", field=(f"{name}_{suffix}",))
    if least is not None and below is not None and least >= below:
        raise Invalid("The lower limit is below the upper one.", field=(f"{name}_below",))


def check_terms(draft: CarrierRuleDraft) -> None:
    amounts = (draft.goods_from_amount, draft.goods_below_amount, draft.price_limit_amount)
    with collect_refusals() as check:
        if any(each is not None for each in amounts) and draft.currency is None:
            check.add(Invalid("Say in which currency.", field=("currency_code",)))
        if draft.price_limit_amount is not None and not 0 <= draft.price_limit_amount <= AMOUNT_LIMIT:
            check.add(Invalid("This is out of bounds.", field=("price_limit",)))
        hours = draft.promised_within_hours
        if hours is not None and not 1 <= hours <= HOURS_LIMIT:
            check.add(Invalid("This is out of bounds.", field=("promised_within_hours",)))


async def check_not_in_rules(session: AsyncSession, carrier: Carrier) -> None:
    """Refuse to archive a carrier that rules still name."""
    names = [
        each.name
        for each in (await lock_rules(session)).rules
        if each.archived_at is None and carrier.code in each.carriers
    ]
    if names:
        raise WrongState(
            "Rules name this carrier: {names}. Change them first.", names=", ".join(names), field=("id",)
        )
