"""Which payment methods are possible for what is to be ordered, and why others are not."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from domain.errors import DomainError, Invalid, Path
from domain.order.cash_rules import CashRules, CashTerms, check_cash_amount
from domain.order.credit import CreditOfCustomer, CreditTooSmall
from domain.order.quote import OrderQuote
from domain.order.refusals import AmountMismatch, NotOffered
from models import CurrencyCode, Money, PaymentChannel, PaymentMethod


@dataclass(frozen=True, slots=True)
class ProviderReach:
    """Where and in which currencies the provider of a method takes money."""

    channels: AbstractSet[PaymentChannel]
    currencies: AbstractSet[CurrencyCode]


@dataclass(frozen=True, slots=True)
class MethodRequest:
    """What is to be paid; what is None is not decided yet and refuses nothing."""

    currency: CurrencyCode
    credit: Money
    """What the buyer has of store credit; nothing for guests."""
    cash: CashRules
    amount: Money | None = None
    quote: OrderQuote | None = None
    channel: PaymentChannel | None = None
    for_customer: bool = False
    """Whether staff ask, for the buyer."""

    @property
    def cash_terms(self) -> CashTerms:
        """How much cash is taken where it goes."""
        deliveries = self.quote.deliveries if self.quote else ()
        return self.cash.terms_for([each.postal for each in deliveries], self.currency)


@dataclass(frozen=True, slots=True)
class PaymentMethodOption:
    """A payment method, the most that can be paid with it on one order, and why it is not possible."""

    method: PaymentMethod
    limit: Money | None
    refusal: DomainError | None

    @property
    def possible(self) -> bool:
        return self.refusal is None


def weigh_method(
    method: PaymentMethod, request: MethodRequest, reach: ProviderReach | None
) -> PaymentMethodOption:
    """Whether a method is possible; `reach` is that of its provider, None where none is connected."""
    refusal: DomainError | None = None
    try:
        check_method(method, request, reach)
    except DomainError as error:
        refusal = error
    return PaymentMethodOption(method, limit_of(method, request), refusal)


def limit_of(method: PaymentMethod, request: MethodRequest) -> Money | None:
    """The most that the method takes on one order; None without a limit of its own."""
    if method.collected_offline:
        limit = request.cash_terms.maximum
        if request.quote and request.quote.needs_delivery:
            at_the_door = request.quote.total - request.quote.due_in_advance
            return min(limit, at_the_door, key=lambda money: money.minor)
        return limit
    return request.credit if method.paid_when_placed else None


def check_method(method: PaymentMethod, request: MethodRequest, reach: ProviderReach | None) -> None:
    if method.has_provider:
        check_reach(method, request, reach)
    if request.quote and request.amount and request.amount > request.quote.total:
        raise AmountMismatch(due=request.quote.total, given=request.amount, field=("amount",))
    # the least there can be, where no amount is decided
    amount = request.amount or Money(1, request.currency)
    if method.collected_offline:
        terms = request.cash_terms
        if request.quote:
            check_cash(amount, request.quote, field=("amount",))
            left = request.quote.total - request.quote.due_in_advance
            check_cash_amount(request.amount or left_or_less(left, terms), terms, field=("amount",))
        else:
            check_cash_amount(request.amount or terms.maximum, terms, field=("amount",))
    if method.paid_when_placed and request.for_customer:
        raise CreditOfCustomer(field=())
    if method.paid_when_placed and amount > request.credit:
        raise CreditTooSmall(request.credit, field=("amount",))


def left_or_less(left: Money, terms: CashTerms) -> Money:
    """As much cash as is possible, where the rest may be paid in another way."""
    return min(left, terms.maximum, key=lambda money: money.minor)


def check_reach(method: PaymentMethod, request: MethodRequest, reach: ProviderReach | None) -> None:
    """Refuse a method that is not connected, or whose provider does not take money there or so."""
    if reach is None:
        raise NotOffered(method, field=())
    if request.currency not in reach.currencies:
        raise Invalid(
            "{method} takes no {currency}.", method=method.value, currency=request.currency.value, field=()
        )
    if request.channel is not None and request.channel not in reach.channels:
        raise Invalid("{method} cannot be used there.", method=method.value, field=("channel",))


def check_cash(cash: Money, quote: OrderQuote, *, field: Path) -> None:
    """Refuse cash at the door for what does not come to one, and for what is paid in advance."""
    if not quote.needs_delivery:
        raise Invalid("Nothing of this order comes to a door, where it could be paid.", field=field)
    if cash > quote.total - quote.due_in_advance:
        raise Invalid(
            "{amount} must be paid in advance, for what is delivered when it is paid.",
            amount=quote.due_in_advance,
            field=field,
        )
