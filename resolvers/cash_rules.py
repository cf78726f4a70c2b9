"""Rules of cash at the door, for the staff."""

from collections.abc import Sequence

from domain.order import remove_cash_rule, save_cash_rule
from domain.shipping import ShippingRegion
from loaders.cash import load_cash_rules
from models import CashRule, CurrencyCode
from resolvers.context import Info
from resolvers.inputs.money import MoneyInput


async def cash_rules(info: Info) -> Sequence[CashRule]:
    """How much cash is taken at the doors of regions; where no rule names one, up to a limit of the shop."""
    return await load_cash_rules(info.context.shop.database.reads)


async def cash_rule_save(
    info: Info,
    maximum: MoneyInput,
    minimum: MoneyInput | None = None,
    country_code: str | None = None,
    province: str | None = None,
    version: int | None = None,
) -> Sequence[CashRule]:
    """Sets how much cash is taken at the doors of a region. The narrowest rule around an address counts; an
    order to several places follows the strictest.

    maximum: the most for one order; nothing where no cash is taken
    minimum: the least, in the same currency
    country_code: the ISO 3166 code of the country; everywhere without it
    province: one province of it
    version: that of the rule the client has read; null where there was none
    """
    most = maximum.money(field=("maximum",))
    least = minimum.money(field=("minimum",)) if minimum else most - most
    async with info.context.transaction() as session:
        region = ShippingRegion(country_code, province)
        await save_cash_rule(session, region, minimum=least, maximum=most, version=version)
    return await cash_rules(info)


async def cash_rule_remove(
    info: Info,
    currency: CurrencyCode,
    version: int,
    country_code: str | None = None,
    province: str | None = None,
) -> Sequence[CashRule]:
    """Removes a rule: the next wider one counts.

    currency: of the rule
    version: that of the rule the client has read
    country_code: the ISO 3166 code of its country; everywhere without it
    province: its province
    """
    async with info.context.transaction() as session:
        region = ShippingRegion(country_code, province)
        await remove_cash_rule(session, region, currency, version=version)
    return await cash_rules(info)


def country_code(root: CashRule) -> str | None:
    """The ISO 3166 code of the country; null for everywhere."""
    return root.country_code or None


def province(root: CashRule) -> str | None:
    """One province of it; null for the whole country."""
    return root.province or None
