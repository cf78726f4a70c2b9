"""A basket brought to a price with the shop's offers, and what became of each."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.offer.running import Offers
from domain.offer.using import Use
from domain.promotion import Basket, Offer, Priced, Reason, Verdict, price_basket
from models import Money, Translations
from models import Offer as Row

HARMLESS = {
    Reason.APPLIED,
    Reason.EXCLUDED,
    Reason.NOT_CHEAPER,
    Reason.NOTHING_LEFT,
    Reason.AT_DELIVERY,
}
"""A code of which this is said is no reason not to order: it works, or something better does."""

UNKNOWN = "There is no such coupon."


@dataclass(frozen=True, slots=True)
class Judged:
    """An offer, and why it does or does not apply."""

    offer: Row
    verdict: Verdict
    amount: Money | None
    because_of: Sequence[Row]
    """The offers that are better."""

    @property
    def title(self) -> str:
        return self.offer.title

    @property
    def code(self) -> str | None:
        return self.offer.code

    @property
    def translations(self) -> Translations:
        return self.offer.translations

    @property
    def applied(self) -> bool:
        return self.verdict.applied

    @property
    def reason(self) -> Reason:
        return self.verdict.reason

    @property
    def words(self) -> str:
        return self.verdict.words

    @property
    def missing_amount(self) -> Money | None:
        return self.verdict.missing_amount

    @property
    def missing_quantity(self) -> int | None:
        return self.verdict.missing_quantity


@dataclass(frozen=True, slots=True)
class Pricing:
    """What a basket comes to, and with which offers."""

    priced: Priced
    offers: Mapping[int, Offer]
    rows: Mapping[int, Row]
    codes: Sequence[str]

    @property
    def goods(self) -> Money:
        return self.priced.goods

    @property
    def discount(self) -> Money:
        return self.priced.discount

    @property
    def shipping(self) -> Money:
        return self.priced.shipping

    @property
    def total(self) -> Money:
        return self.priced.total

    @property
    def judged(self) -> list[Judged]:
        """Every offer considered: those that apply first, in their order."""
        amounts = {each.offer_id: each.amount for each in self.priced.applied}
        ranks = {offer_id: rank for rank, offer_id in enumerate(amounts)}
        verdicts = sorted(self.priced.verdicts, key=lambda each: ranks.get(each.offer_id, len(ranks)))
        return [
            Judged(
                offer=self.rows[each.offer_id],
                verdict=each,
                amount=amounts.get(each.offer_id),
                because_of=[self.rows[other] for other in each.because_of],
            )
            for each in verdicts
        ]

    def refused(self) -> Iterator[tuple[int, str]]:
        """The place of each code that cannot be used now, and why."""
        known = {self.offers[each.offer_id].code: each for each in self.priced.verdicts}
        for place, code in enumerate(self.codes):
            verdict = known.get(code)
            if verdict is None:
                yield place, UNKNOWN
            elif verdict.reason not in HARMLESS:
                yield place, verdict.words

    def uses(self, *, order_id: int, account_id: int) -> list[Use]:
        """What an order at this price uses."""
        return [
            Use(
                order_id=order_id,
                account_id=account_id,
                offer=self.offers[each.offer_id],
                position=position,
                amount=each.amount,
                flash_units=each.flash_units,
            )
            for position, each in enumerate(self.priced.applied, start=1)
        ]

    @property
    def in_flash_sale(self) -> bool:
        """Whether any unit is had at a flash sale's price."""
        return any(each.flash_units for each in self.priced.applied)


def price(
    basket: Basket, offers: Offers, *, codes: Collection[str], account_id: int | None, now: datetime
) -> Pricing:
    """The lowest price the offers legally allow; `codes` are as they are stored."""
    considered = offers.relevant(
        currency=basket.currency, codes=codes, variant_ids={line.variant_id for line in basket.lines}
    )
    return Pricing(
        priced=price_basket(basket, considered, offers.facts(account_id), now=now),
        offers={offer.id: offer for offer in considered},
        rows=offers.rows,
        codes=tuple(codes),
    )
