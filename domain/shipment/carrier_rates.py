"""What carriers ask that cannot be asked themselves: a table of rates in their rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from domain.errors import Invalid, LimitReached, collect_refusals
from domain.shipping import ANYWHERE, ShippingRegion
from domain.shipping.tariff import region_key
from domain.shipping.zones import normalize_regions
from models import Carrier, CurrencyCode, Money

RATES_LIMIT = 50
GRAMS_LIMIT = 1_000_000
AMOUNT_LIMIT = 10**9
HOURS_LIMIT = 24 * 60


@dataclass(frozen=True, slots=True)
class CarrierRate:
    """What carrying costs to some regions, and how long it takes from when the carrier has it."""

    regions: Sequence[str]
    currency: CurrencyCode
    first_grams: int
    first_amount: int
    further_grams: int
    further_amount: int
    hours: int | None = None

    def price_of(self, grams: int) -> Money:
        """The first weight and each further step begun."""
        steps = max(0, -(-(grams - self.first_grams) // self.further_grams))
        return Money(self.first_amount + steps * self.further_amount, self.currency)

    @property
    def takes(self) -> timedelta | None:
        return None if self.hours is None else timedelta(hours=self.hours)


@dataclass(frozen=True, slots=True)
class CarrierRateDraft:
    """A rate as somebody enters it."""

    rate: CarrierRate
    regions: Sequence[ShippingRegion]


def normalize_rates(drafts: Sequence[CarrierRateDraft]) -> list[dict[str, object]]:
    """The rates as they are stored; Invalid with everything that is malformed."""
    if len(drafts) > RATES_LIMIT:
        raise LimitReached("A carrier has at most {limit} rates.", limit=RATES_LIMIT, field=("rates",))
    rows: list[dict[str, object]] = []
    with collect_refusals() as check:
        for index, draft in enumerate(drafts):
            rate, path = draft.rate, ("rates", index)
            regions = [ANYWHERE]
            if draft.regions:
                regions = check.value(normalize_regions, regions, draft.regions)
            for name, value in (("first_grams", rate.first_grams), ("further_grams", rate.further_grams)):
                if not 1 <= value <= GRAMS_LIMIT:
                    check.add(
                        Invalid("A weight is 1 to {limit} grams.", limit=GRAMS_LIMIT, field=(*path, name))
                    )
            for name, value in (("first", rate.first_amount), ("further", rate.further_amount)):
                if not 0 <= value <= AMOUNT_LIMIT:
                    check.add(Invalid("This fee is out of bounds.", field=(*path, name)))
            if rate.hours is not None and not 1 <= rate.hours <= HOURS_LIMIT:
                check.add(Invalid("This is out of bounds.", field=(*path, "hours")))
            rows.append(
                {
                    "regions": regions,
                    "currency": rate.currency.value,
                    "first_grams": rate.first_grams,
                    "first_amount": rate.first_amount,
                    "further_grams": rate.further_grams,
                    "further_amount": rate.further_amount,
                    "hours": rate.hours,
                }
            )
    return rows


def rates_of(carrier: Carrier) -> list[CarrierRate]:
    """The rates of a carrier, in the order they were given."""
    return [read_rate(row) for row in carrier.rates]


def read_rate(row: Mapping[str, object]) -> CarrierRate:
    values = dict(row)
    currency, hours = CurrencyCode(str(values.pop("currency"))), values.pop("hours")
    regions = values.pop("regions")
    amounts = {name: int(str(value)) for name, value in values.items()}
    return CarrierRate(
        regions=[str(each) for each in regions] if isinstance(regions, list) else [],
        currency=currency,
        hours=None if hours is None else int(str(hours)),
        **amounts,
    )


def find_rate(rates: Sequence[CarrierRate], country_code: str, province: str) -> CarrierRate | None:
    """The rate that names the narrowest region around a place: province, country, anywhere."""
    country = country_code.upper()
    for region in (region_key(country, province), country, ANYWHERE):
        for rate in rates:
            if region.casefold() in {each.casefold() for each in rate.regions}:
                return rate
    return None
