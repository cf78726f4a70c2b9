from decimal import Decimal

import strawberry

from domain.errors import Invalid, collect_refusals
from domain.shipment.carrier_rates import CarrierRate, CarrierRateDraft
from domain.shipment.carrier_rules import CarrierRuleDraft, RuleCarrier
from domain.shipment.carriers import CarrierDraft, CutOff
from domain.stock import Weekday
from models import CarrierCode, CarrierConnection, CarrierPreference, CurrencyCode, Money
from resolvers.descriptions import input_type
from resolvers.inputs.shipping import ShippingRegionInput


@input_type
class CarrierCutOffInput:
    """Until when a carrier takes parcels along on a day, in the shop's time zone."""

    weekday: Weekday
    """The day."""
    until: str
    """The last moment of it, such as "17:30"."""


@input_type
class CarrierRateInput:
    """What carrying costs to some regions, and how long it takes."""

    regions: list[ShippingRegionInput] = strawberry.field(
        default_factory=list, description="Where to; anywhere when left out."
    )
    currency_code: CurrencyCode = CurrencyCode.CNY
    """The currency of all amounts here."""
    first_grams: int = 1_000
    """The weight, in grams, that the first price covers."""
    first: Decimal
    """The price up to that weight."""
    further_grams: int = 1_000
    """The step, in grams, in which further weight is counted."""
    further: Decimal
    """What each further step begun costs."""
    hours: int | None = None
    """How long it takes from when the carrier has it; left out, it promises nothing."""

    def draft(self, index: int) -> CarrierRateDraft:
        path = ("rates", index)
        with collect_refusals() as check:
            first = check.value(minor_of, 0, self.first, self.currency_code, (*path, "first"))
            further = check.value(minor_of, 0, self.further, self.currency_code, (*path, "further"))
        rate = CarrierRate(
            regions=(),
            currency=self.currency_code,
            first_grams=self.first_grams,
            first_amount=first,
            further_grams=self.further_grams,
            further_amount=further,
            hours=self.hours,
        )
        return CarrierRateDraft(rate, [each.draft() for each in self.regions])


@input_type
class CarrierOfRuleInput:
    """A carrier of a rule."""

    code: CarrierCode
    """The code of the carrier."""
    share: int | None = None
    """Its share of the parcels, in percent, where shares are preferred."""


@input_type
class CarrierRuleSaveInput:
    """What `carrierRuleSave` needs."""

    name: str
    """What the staff calls it."""
    carriers: list[CarrierOfRuleInput]
    """The carriers that are asked, each once."""
    preference: CarrierPreference = CarrierPreference.ORDER
    """Which of them comes first."""
    id: strawberry.ID | None = None
    """The rule to replace; a new one is added when left out."""
    version: int | None = None
    """The version that was read; required with `id`."""
    regions: list[ShippingRegionInput] = strawberry.field(
        default_factory=list, description="Only parcels to these regions; to anywhere when left out."
    )
    grams_from: int | None = None
    """Only parcels of this weight and more, in grams."""
    grams_below: int | None = None
    """Only parcels of less than this weight, in grams."""
    currency_code: CurrencyCode | None = None
    """The currency of all amounts here; required with one."""
    goods_from: Decimal | None = None
    """Only with goods of this price and more."""
    goods_below: Decimal | None = None
    """Only with goods of less than this price."""
    is_cash: bool | None = None
    """Only parcels with, or only without cash to collect; left out, both."""
    price_limit: Decimal | None = None
    """Only carriers that quote no more than this."""
    promised_within_hours: int | None = None
    """Only carriers that promise to arrive within so many hours."""
    position: int | None = None
    """Its turn, the lowest first; left out, it stays or comes last."""

    def draft(self) -> CarrierRuleDraft:
        currency = self.currency_code
        with collect_refusals() as check:
            goods_from, goods_below, price_limit = (
                None
                if amount is None or currency is None
                else check.value(minor_of, 0, amount, currency, (name,))
                for name, amount in (
                    ("goods_from", self.goods_from),
                    ("goods_below", self.goods_below),
                    ("price_limit", self.price_limit),
                )
            )
            if currency is None and any((self.goods_from, self.goods_below, self.price_limit)):
                check.add(Invalid("Say in which currency.", field=("currency_code",)))
        return CarrierRuleDraft(
            name=self.name,
            carriers=[RuleCarrier(each.code, each.share) for each in self.carriers],
            preference=self.preference,
            regions=[each.draft() for each in self.regions],
            grams_from=self.grams_from,
            grams_below=self.grams_below,
            currency=currency,
            goods_from_amount=goods_from,
            goods_below_amount=goods_below,
            is_cash=self.is_cash,
            price_limit_amount=price_limit,
            promised_within_hours=self.promised_within_hours,
            position=self.position,
        )


def minor_of(amount: Decimal, currency: CurrencyCode, field: tuple[str | int, ...]) -> int:
    """The amount in minor units; Invalid with more digits than the currency has."""
    try:
        return Money.of(amount, currency).minor
    except (ValueError, ArithmeticError):
        raise Invalid("This is not an amount in {currency}.", currency=currency.value, field=field) from None


@input_type
class CarrierSaveInput:
    """What `carrierSave` needs."""

    code: str
    """By what parcels name it: letters, digits, "-" and "_"; it stays for ever."""
    name: str
    """The name people use."""
    connection: CarrierConnection
    """How the shop reaches it; it stays for ever."""
    id: strawberry.ID | None = None
    """The carrier to change; a new one is added when left out."""
    version: int | None = None
    """The version that was read; required with `id`."""
    account: str = ""
    """The shop's customer number there; its secret is a setting."""
    service: str = ""
    """The service that is booked, in the words of the carrier."""
    company_code: str = ""
    """What the connection calls the carrier, such as "yuantong" at kuaidi100."""
    tracking_link: str = ""
    """Address of its page about a parcel, with {number} where the tracking number belongs."""
    poll_seconds: int | None = None
    """How often it is asked where a parcel is, in seconds; left out, as often as is usual there."""
    cut_offs: list[CarrierCutOffInput] = strawberry.field(
        default_factory=list,
        description="Until when it takes parcels along, one time a day; other days it does not.",
    )
    takes_cash: bool = False
    """Whether it collects cash at the door."""
    rates: list[CarrierRateInput] = strawberry.field(
        default_factory=list,
        description="What it asks, where it cannot be asked; the rate of the narrowest region counts.",
    )
    position: int | None = None
    """Its turn where several could carry a parcel, the lowest first; left out, it stays or comes last."""

    def draft(self) -> CarrierDraft:
        return CarrierDraft(
            code=self.code,
            name=self.name,
            connection=self.connection,
            account=self.account,
            service=self.service,
            company_code=self.company_code,
            tracking_link=self.tracking_link,
            poll_seconds=self.poll_seconds,
            cut_offs=[CutOff(each.weekday, each.until) for each in self.cut_offs],
            takes_cash=self.takes_cash,
            rates=[each.draft(index) for index, each in enumerate(self.rates)],
            position=self.position,
        )
