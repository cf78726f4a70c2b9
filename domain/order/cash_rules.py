"""Where cash is taken at the door, and how much: rules of regions; where there is none, one limit for all."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import Conflict, Invalid, LimitReached, NotFound, Path, collect_refusals
from domain.shipping import ANYWHERE, ShippingRegion, normalize_region
from domain.shipping.tariff import Destination, region_key
from models import CashRule, CurrencyCode, Delivery, Money, Order, ShippingMethod
from models.sql.upsert import upsert_into

CASH_LIMITS: Mapping[CurrencyCode, int] = {
    CurrencyCode.CNY: 5_000_00,
    CurrencyCode.HKD: 5_000_00,
    CurrencyCode.USD: 700_00,
}
"""The most that is collected at the door for one order where no rule names the region, in minor units;
nothing in other currencies.
"""

CASH_RULE_LIMIT = 10**9
"""Minor units; the most that a rule may allow."""


class RuleChanged(Conflict):
    """An edit that has not read the rule as it is now."""

    def __init__(self) -> None:
        super().__init__("Somebody has changed this rule meanwhile; read it again.", field=("version",))


RuleKey = tuple[str, CurrencyCode]


@dataclass(frozen=True, slots=True)
class CashTerms:
    """How much cash an order may be paid with."""

    minimum: Money
    maximum: Money
    """Zero where none is taken."""


@dataclass(frozen=True, slots=True)
class CashRules:
    """The rules of the staff by region and currency."""

    by_region: Mapping[RuleKey, CashRule] = field(default_factory=dict)

    @classmethod
    def of(cls, rules: Iterable[CashRule]) -> "CashRules":
        return cls({(region_of(rule), rule.currency): rule for rule in rules})

    def terms_for(self, destinations: Sequence[Destination], currency: CurrencyCode) -> CashTerms:
        """The strictest terms of all places that an order goes to; without one, those of everywhere."""
        found = [self.terms_at(each, currency) for each in destinations] or [self.terms_at(None, currency)]
        return CashTerms(
            minimum=max((each.minimum for each in found), key=lambda money: money.minor),
            maximum=min((each.maximum for each in found), key=lambda money: money.minor),
        )

    def terms_at(self, destination: Destination | None, currency: CurrencyCode) -> CashTerms:
        """Those of the narrowest rule around a place: of its province, of its country, of everywhere."""
        regions = [ANYWHERE]
        if destination:
            country = destination.country_code.upper()
            regions = [region_key(country, destination.province).casefold(), country.casefold(), ANYWHERE]
        rules = (self.by_region.get((region, currency)) for region in regions)
        if rule := next(filter(None, rules), None):
            return CashTerms(rule.minimum, rule.maximum)
        return CashTerms(Money.zero(currency), Money(CASH_LIMITS.get(currency, 0), currency))


def region_of(rule: CashRule) -> str:
    """The key of its region, in case-folded spelling."""
    if not rule.country_code:
        return ANYWHERE
    country = rule.country_code.upper()
    return (region_key(country, rule.province) if rule.province else country).casefold()


async def read_cash_rules(session: AsyncSession) -> CashRules:
    """All rules, in one statement."""
    return CashRules.of(await session.scalars(select(CashRule)))


async def find_cash_terms(session: AsyncSession, order: Order) -> CashTerms:
    """How much of a placed order may be paid in cash, by where it goes."""
    of_order = (
        Delivery.order_id == order.id,
        Delivery.ticket_id.is_(None),
        Delivery.method != ShippingMethod.NONE,
    )
    deliveries = (await session.scalars(select(Delivery).where(*of_order))).all()
    return (await read_cash_rules(session)).terms_for(deliveries, order.currency)


async def save_cash_rule(
    session: AsyncSession, region: ShippingRegion, *, minimum: Money, maximum: Money, version: int | None
) -> None:
    """Set how much cash is taken in a region in one currency; Conflict unless `version` is that of the rule
    there is, None where there is none."""
    with collect_refusals() as check:
        key = check.value(split_region, ("", ""), region)
        with check:
            if not 0 <= maximum.minor <= CASH_RULE_LIMIT:
                raise Invalid("This limit is out of bounds.", field=("maximum",))
            if minimum.currency is not maximum.currency or not 0 <= minimum.minor <= maximum.minor:
                raise Invalid("The least is from nothing to the most.", field=("minimum",))
    country, province = key
    amounts = {"min_amount": minimum.minor, "max_amount": maximum.minor}
    if version is None:
        saved = await session.scalar(
            upsert_into(session, CashRule)
            .values(country_code=country, province=province, currency=maximum.currency, **amounts)
            .on_conflict_do_nothing()
            .returning(CashRule.id)
        )
    else:
        saved = await session.scalar(
            update(CashRule)
            .where(is_rule(key, maximum.currency), CashRule.version == version)
            .values(version=version + 1, **amounts)
            .returning(CashRule.id)
        )
    if saved is None:
        raise RuleChanged


async def remove_cash_rule(
    session: AsyncSession, region: ShippingRegion, currency: CurrencyCode, *, version: int
) -> None:
    """Remove the rule of a region in one currency; NotFound where there is none, Conflict where it has
    another version."""
    rule = is_rule(split_region(region), currency)
    removed = await session.scalar(
        delete(CashRule).where(rule, CashRule.version == version).returning(CashRule.id)
    )
    if removed is None and await session.scalar(select(CashRule.id).where(rule)) is not None:
        raise RuleChanged
    if removed is None:
        raise NotFound("cash rule", field=("country_code",))


def is_rule(key: tuple[str, str], currency: CurrencyCode) -> ColumnElement[bool]:
    """Whether a row is the rule of a country and province in one currency."""
    country, province = key
    return and_(
        CashRule.country_code == country, CashRule.province == province, CashRule.currency == currency
    )


def split_region(region: ShippingRegion) -> tuple[str, str]:
    """Country and province as they are stored; both are empty for everywhere."""
    country, _, province = normalize_region(region, ()).partition("/")
    return ("", "") if country == ANYWHERE else (country, province)


def check_cash_amount(cash: Money, terms: CashTerms, *, field: Path) -> None:
    """Refuse cash where none is taken, too much of it, and too little."""
    if not terms.maximum.minor:
        raise LimitReached("No cash is taken at the door there.", field=field)
    if cash > terms.maximum:
        raise LimitReached("At most {limit} can be paid at the door.", limit=terms.maximum, field=field)
    if cash < terms.minimum:
        raise Invalid("Cash at the door is taken from {minimum} on.", minimum=terms.minimum, field=field)
