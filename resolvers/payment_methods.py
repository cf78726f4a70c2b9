"""Which payment methods are possible, for the checkout."""

from domain.errors import Invalid, NotFound
from domain.order import (
    CashRules,
    MethodRequest,
    OrderQuote,
    PaymentMethodOption,
    ProviderReach,
    weigh_method,
)
from loaders.cash import load_cash_rules
from loaders.store_credit import load_balances
from models import CurrencyCode, Money, PaymentChannel, PaymentMethod
from resolvers.account.customers import served_customer_id
from resolvers.context import Info
from resolvers.descriptions import input_type
from resolvers.guard import Permission, require_permission
from resolvers.inputs.money import MoneyInput
from resolvers.inputs.order import CheckoutQuoteInput
from resolvers.order import checkout_quote

__all__ = ["PaymentMethodOption", "payment_methods"]


@input_type
class PaymentMethodsInput:
    """What is to be paid, as far as it is known."""

    quote: CheckoutQuoteInput | None = None
    """What would be ordered, and where it would go."""
    amount: MoneyInput | None = None
    """How much is to be paid by one method; any part when left out."""
    channel: PaymentChannel | None = None
    """Where the customer would pay."""


async def payment_methods(
    info: Info, currency: CurrencyCode | None = None, input: PaymentMethodsInput | None = None
) -> list[PaymentMethodOption]:
    """The payment methods that are offered now; with `input` all methods, and why some are not possible.

    currency: of the order, where `input` has no quote; the viewer's without it
    input: what is to be paid
    """
    given = input or PaymentMethodsInput()
    quote = await quote_of(info, given)
    order_currency = quote.currency if quote else currency or info.context.viewer.currency
    request = MethodRequest(
        cash=CashRules.of(await load_cash_rules(info.context.shop.database.reads)),
        currency=order_currency,
        credit=await credit_of(info, given, order_currency),
        amount=amount_of(given, order_currency),
        quote=quote,
        channel=given.channel,
        for_customer=bool(given.quote and given.quote.customer_id),
    )
    options = [weigh_method(method, request, reach_of(info, method)) for method in PaymentMethod]
    if input is None:
        return [each for each in options if each.possible and not each.method.paid_when_placed]
    # play money is not spoken of where there is none
    shown = info.context.shop.payment_methods | (set(PaymentMethod) - {PaymentMethod.SANDBOX})
    return [each for each in options if each.method in shown]


async def quote_of(info: Info, given: PaymentMethodsInput) -> OrderQuote | None:
    """The quote, whatever else is wrong with it; NotFound where it names what there is not."""
    if given.quote is None:
        return None
    require_permission(Permission.ORDER_PLACE, info.context.viewer.role)
    quote = await checkout_quote(info, given.quote)
    for problem in quote.problems:
        if isinstance(problem, NotFound):
            raise problem
    return quote


def amount_of(given: PaymentMethodsInput, currency: CurrencyCode) -> Money | None:
    """The amount; Invalid for nothing and for one in another currency."""
    if given.amount is None:
        return None
    amount = given.amount.money(field=("input", "amount"))
    if amount.currency is not currency:
        raise Invalid("This order is in {currency}.", currency=currency.value, field=("input", "amount"))
    if amount.minor <= 0:
        raise Invalid("A payment is more than nothing.", field=("input", "amount"))
    return amount


async def credit_of(info: Info, given: PaymentMethodsInput, currency: CurrencyCode) -> Money:
    """The viewer's store credit; nothing for guests and staff."""
    viewer = info.context.viewer
    holder = viewer.account_id if viewer.may(Permission.STORE_CREDIT) else None
    if given.quote and given.quote.customer_id:
        await served_customer_id(info, given.quote.customer_id)
    balances = await load_balances(info.context.shop.database.reads, holder) if holder else ()
    return next((each for each in balances if each.currency is currency), Money.zero(currency))


def reach_of(info: Info, method: PaymentMethod) -> ProviderReach | None:
    """Where the method's provider takes money; None where none is connected."""
    provider = info.context.shop.payments.get(method)
    return ProviderReach(provider.channels, provider.currencies) if provider else None
