"""Which carriers are asked for a parcel, and in which order: by rules kept as data, else by their turn."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.order.cash import cost_of, share_cash_among_deliveries
from domain.shipment.shares import NOT_CARRIED
from domain.shipping import ANYWHERE
from domain.shipping.tariff import region_key
from models import (
    CarrierChoice,
    CarrierCode,
    CarrierPreference,
    CarrierRule,
    CurrencyCode,
    Delivery,
    Money,
    OrderLine,
    Shipment,
    ShipmentLine,
    Waybill,
)

WHOLE = 100
"""Percent."""
REST = ""
"""What the shares of a rule leave to the next rule."""


@dataclass(frozen=True, slots=True)
class ParcelFacts:
    """What rules ask of the parcels on a waybill."""

    country_code: str
    province: str
    grams: int
    goods: Money
    has_cash: bool


@dataclass(frozen=True, slots=True)
class QuotedTerms:
    """What a carrier asks, and when it would arrive."""

    price: Money
    promised_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RankedCarrier:
    """A carrier in the order in which they are asked."""

    code: CarrierCode
    choice: CarrierChoice
    rule: CarrierRule | None = None
    terms: QuotedTerms | None = None


@dataclass(frozen=True, slots=True)
class ChoiceOptions:
    """What is known before a carrier is chosen."""

    facts: ParcelFacts
    possible: Sequence[CarrierCode]
    """The carriers that can take the parcels, in their turn."""
    quotes: Mapping[CarrierCode, QuotedTerms] = field(default_factory=dict)


async def read_parcel_facts(session: AsyncSession, shipment_ids: Collection[int]) -> ParcelFacts | None:
    """What rules ask of parcels of one delivery; None where there are none any more."""
    found = await session.execute(
        select(Shipment, Delivery)
        .join(Delivery, Delivery.id == Shipment.delivery_id)
        .where(Shipment.id.in_(shipment_ids))
        .order_by(Shipment.id)
    )
    rows = [(shipment, delivery) for shipment, delivery in found]
    if not rows:
        return None
    delivery = rows[0][1]
    lines = await session.execute(
        select(OrderLine, ShipmentLine.quantity)
        .join(ShipmentLine, ShipmentLine.order_line_id == OrderLine.id)
        .where(ShipmentLine.shipment_id.in_(shipment_ids))
    )
    due = await share_cash_among_deliveries(session, {delivery.order_id})
    return ParcelFacts(
        country_code=delivery.country_code,
        province=delivery.province,
        grams=sum(shipment.weight_grams for shipment, _ in rows),
        goods=Money(sum(cost_of(line, units) for line, units in lines), delivery.currency),
        has_cash=bool(due.get(delivery.id)),
    )


def select_rules() -> Select[CarrierRule]:
    """Select the rules that choose, in the order in which they are tried."""
    return (
        select(CarrierRule)
        .where(CarrierRule.archived_at.is_(None))
        .order_by(CarrierRule.position, CarrierRule.id)
    )


def fits(rule: CarrierRule, facts: ParcelFacts) -> bool:
    """Whether a rule is for parcels like these; what its carriers quote is another question."""
    country = facts.country_code.upper()
    around = {each.casefold() for each in (region_key(country, facts.province), country, ANYWHERE)}
    if rule.regions and not around & {each.casefold() for each in rule.regions}:
        return False
    if rule.is_cash is not None and rule.is_cash is not facts.has_cash:
        return False
    if rule.grams_from is not None and facts.grams < rule.grams_from:
        return False
    if rule.grams_below is not None and facts.grams >= rule.grams_below:
        return False
    return fits_value(rule, facts.goods)


def fits_value(rule: CarrierRule, goods: Money) -> bool:
    """Whether goods of this price are meant; of another currency they are not."""
    if rule.goods_from_amount is None and rule.goods_below_amount is None:
        return True
    if rule.currency is not goods.currency:
        return False
    least, below = rule.goods_from_amount, rule.goods_below_amount
    return (least is None or goods.minor >= least) and (below is None or goods.minor < below)


async def rank_carriers(
    session: AsyncSession, shipment_id: int, options: ChoiceOptions, *, now: datetime
) -> list[RankedCarrier]:
    """The carriers to be asked for a locked parcel: those of the rules that fit, then the others in turn.

    Where shares decide, the parcel is counted for the carrier that comes first, once for each parcel, until
    that one turns out not to carry it.
    """
    ranked: list[RankedCarrier] = []
    for rule in await session.scalars(select_rules()):
        if not fits(rule, options.facts):
            continue
        codes = [each for each in map(CarrierCode, rule.carriers) if each in options.possible]
        codes = [each for each in codes if keeps_terms(rule, options.quotes.get(each), now)]
        if rule.preference is CarrierPreference.SHARE:
            codes = await order_by_share(session, rule, codes, shipment_id, decides=not ranked)
        else:
            codes = order_by_terms(rule.preference, codes, options.quotes)
        known = {each.code for each in ranked}
        ranked += [
            RankedCarrier(each, CarrierChoice.RULE, rule, options.quotes.get(each))
            for each in codes
            if each not in known
        ]
    known = {each.code for each in ranked}
    rest = [each for each in options.possible if each not in known]
    return ranked + [RankedCarrier(each, CarrierChoice.TURN) for each in rest]


def keeps_terms(rule: CarrierRule, terms: QuotedTerms | None, now: datetime) -> bool:
    """Whether what a carrier quotes is within the limits of a rule; no quote is within none."""
    if rule.price_limit_amount is not None:
        if terms is None or terms.price.currency is not rule.currency:
            return False
        if terms.price.minor > rule.price_limit_amount:
            return False
    if rule.promised_within_hours is not None:
        latest = now + timedelta(hours=rule.promised_within_hours)
        return terms is not None and terms.promised_at is not None and terms.promised_at <= latest
    return True


def order_by_terms(
    preference: CarrierPreference, codes: Sequence[CarrierCode], quotes: Mapping[CarrierCode, QuotedTerms]
) -> list[CarrierCode]:
    """Carriers by price or by promised time, those that say nothing last; else as the rule has them."""
    quoted = [each for each in codes if each in quotes]
    if preference is CarrierPreference.CHEAPEST:
        currency = CurrencyCode(quotes[quoted[0]].price.currency) if quoted else None
        quoted = [each for each in quoted if quotes[each].price.currency is currency]
        quoted.sort(key=lambda each: quotes[each].price.minor)
    elif preference is CarrierPreference.FASTEST:
        timed = {each: at for each in quoted if (at := quotes[each].promised_at) is not None}
        quoted = sorted(timed, key=timed.__getitem__)
    else:
        return list(codes)
    return [*quoted, *(each for each in codes if each not in quoted)]


async def order_by_share(
    session: AsyncSession,
    rule: CarrierRule,
    codes: Sequence[CarrierCode],
    shipment_id: int,
    *,
    decides: bool,
) -> list[CarrierCode]:
    """Carriers by how far they are behind their share; none where the rest is next."""
    if not decides or not codes:
        return rank_shares(rule.shares, rule.chosen, codes)
    locked = await session.get_one(CarrierRule, rule.id, with_for_update=True, populate_existing=True)
    earlier = await session.scalar(
        select(Waybill.carrier)
        .where(Waybill.shipment_id == shipment_id, Waybill.rule_id == rule.id)
        .where(Waybill.choice == CarrierChoice.RULE, Waybill.status.not_in(NOT_CARRIED))
        .order_by(Waybill.id.desc())
        .limit(1)
    )
    order = rank_shares(locked.shares, locked.chosen, codes)
    if earlier in order:
        return [earlier, *(each for each in order if each != earlier)]
    first = next_by_share(locked.shares, locked.chosen, codes)
    locked.chosen = locked.chosen | {first: locked.chosen.get(first, 0) + 1}
    if first == REST:
        return []
    return [CarrierCode(first), *(each for each in order if each != first)]


def next_by_share(shares: Mapping[str, int], chosen: Mapping[str, int], codes: Sequence[str]) -> str:
    """Who is furthest behind its share once one more parcel is counted; REST for none of them.

    After as many parcels as the shares are percent together, each has exactly its own.
    """
    weights = {each: shares[each] for each in codes}
    if (rest := WHOLE - sum(shares.values())) > 0:
        weights[REST] = rest
    total = sum(chosen.get(each, 0) for each in weights) + 1
    whole = sum(weights.values())
    return max(weights, key=lambda each: weights[each] * total - chosen.get(each, 0) * whole)


def rank_shares(
    shares: Mapping[str, int], chosen: Mapping[str, int], codes: Sequence[CarrierCode]
) -> list[CarrierCode]:
    """Carriers by how far they are behind their share, of those that are there."""
    whole = sum(shares[each] for each in codes)
    total = sum(chosen.get(each, 0) for each in codes) + 1
    return sorted(codes, key=lambda each: chosen.get(each, 0) * whole - shares[each] * total)
