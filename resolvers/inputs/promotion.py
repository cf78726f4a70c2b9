"""Inputs of promotions."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import strawberry

from domain.errors import Invalid, collect_refusals
from domain.promotion import PromotionDraft, PromotionVersion
from loaders.promotion import PromotionStatus
from models import CurrencyCode, Money, PromotionKind, PromotionScopeKind
from resolvers.descriptions import input_type
from resolvers.ids import row_id

Field = tuple[str | int, ...]


@input_type
class PromotionTextInput:
    """The title of a promotion in another language."""

    language: str
    """The language, as a tag such as "en"."""
    title: str
    """What customers read."""


@input_type
class PromotionTierInput:
    """A tier of a full reduction."""

    minimum: Decimal
    """What the items must cost."""
    amount: Decimal
    """What is then taken off."""


@input_type
class FlashSaleInput:
    """The variant of a flash sale, its price and how many units there are."""

    variant_id: strawberry.ID
    """The variant that is sold."""
    price: Decimal
    """What one unit costs."""
    share: int
    """How many units there are at this price."""
    per_buyer: int | None = None
    """How many of them one customer may have; any number without it."""


@input_type
class PromotionScopeInput:
    """The items a promotion is for: exactly one of the four lists."""

    category_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Items in these categories, or below them."
    )
    product_ids: list[strawberry.ID] = strawberry.field(default_factory=list, description="These products.")
    variant_ids: list[strawberry.ID] = strawberry.field(default_factory=list, description="These variants.")
    brands: list[str] = strawberry.field(default_factory=list, description="Items of these brands.")

    def scope_and_ids(self) -> tuple[PromotionScopeKind, list[int]]:
        """The kind of the scope, and the ids of its rows; Invalid unless exactly one list is given."""
        lists = {
            PromotionScopeKind.CATEGORIES: (self.category_ids, "Category", "category_ids"),
            PromotionScopeKind.PRODUCTS: (self.product_ids, "Product", "product_ids"),
            PromotionScopeKind.VARIANTS: (self.variant_ids, "Variant", "variant_ids"),
        }
        kinds = [kind for kind, (ids, _, _) in lists.items() if ids]
        kinds += [PromotionScopeKind.BRANDS] if self.brands else []
        if len(kinds) != 1:
            raise Invalid("Name categories, products, variants or brands.", field=("scope",))
        if kinds[0] is PromotionScopeKind.BRANDS:
            return PromotionScopeKind.BRANDS, []
        ids, type_name, field = lists[kinds[0]]
        return kinds[0], [
            row_id(id, type_name, field=("scope", field, index)) for index, id in enumerate(ids)
        ]


@input_type
class PromotionSaveInput:
    """All terms of a promotion; which of them a promotion needs depends on its kind."""

    title: str
    """What customers read."""
    kind: PromotionKind
    """How it reduces what is paid; it decides which of the terms are needed."""
    id: strawberry.ID | None = None
    """The promotion to change, all of whose terms are replaced; a new one is created without it."""
    version: int | None = None
    """The version the change is based on; refused when somebody else has changed the promotion since."""
    code: str | None = None
    """What customers enter: 3 to 40 letters, digits, - or _; without a code it applies automatically."""
    percent: int | None = None
    """How much of the items' price a PERCENT promotion takes off, from 1 to 100."""
    amount: Decimal | None = None
    """How much a FIXED promotion takes off."""
    tiers: list[PromotionTierInput] = strawberry.field(
        default_factory=list, description="The tiers of a FULL_REDUCTION."
    )
    repeating: bool = False
    """Whether the best tier of a FULL_REDUCTION is given as often as it fits."""
    buy: int | None = None
    """How many units of a BUY_N_GET_M promotion are paid."""
    get: int | None = None
    """How many more units are then free."""
    flash_sale: FlashSaleInput | None = None
    """What a FLASH_SALE sells."""
    scope: PromotionScopeInput | None = None
    """The items it is for; all items without it."""
    currency_code: CurrencyCode | None = None
    """The currency of its amounts, and of the prices it applies to; CNY when there are amounts."""
    minimum: Decimal = Decimal(0)
    """What the items must cost for it to apply."""
    minimum_quantity: int = 0
    """How many units of the items there must be for it to apply."""
    cap: Decimal | None = None
    """The most it takes off."""
    starts_at: datetime | None = None
    """From when it applies; at once without it."""
    ends_at: datetime | None = None
    """Until when it applies; without an end if left out."""
    usage_limit: int | None = None
    """How many orders may use it; any number without it."""
    usage_limit_per_buyer: int | None = None
    """How many orders of one customer may use it; any number without it."""
    priority: int = 0
    """A promotion with a higher priority is applied earlier."""
    stackable: bool = True
    """Whether other promotions may apply beside it."""
    exclusion_groups: list[str] = strawberry.field(
        default_factory=list, description="Of all promotions in one group only one applies."
    )
    translations: list[PromotionTextInput] = strawberry.field(
        default_factory=list, description="Its title in other languages."
    )

    def expected_version(self) -> PromotionVersion | None:
        """The promotion to change; None for a new one."""
        return None if self.id is None else PromotionVersion(row_id(self.id, "Promotion"), self.version)

    def draft(self) -> PromotionDraft:
        """The terms, with amounts in minor units of the promotion's currency."""
        currency, sale, cap = self.currency_code or CurrencyCode.CNY, self.flash_sale, self.cap
        scope, scope_ids, variant_id = PromotionScopeKind.ALL, list[int](), None
        with collect_refusals() as check:
            if self.scope:
                scope, scope_ids = check.value(self.scope.scope_and_ids, (scope, scope_ids))
            if sale and self.amount is not None:
                check.add(Invalid("The price of a flash sale is its amount.", field=("amount",)))
            if sale:
                variant_field = ("flash_sale", "variant_id")
                variant_id = check.value(row_id, 0, sale.variant_id, "Variant", field=variant_field)
            amount = check.value(self.amount_minor, None, currency)
            tiers = [check.value(tier_minor, {}, tier, currency, at) for at, tier in enumerate(self.tiers)]
            minimum = check.value(minor_units, 0, self.minimum, currency, ("minimum",))
            cap_amount = None if cap is None else check.value(minor_units, 0, cap, currency, ("cap",))
        return PromotionDraft(
            title=self.title,
            kind=self.kind,
            code=self.code,
            percent=self.percent,
            amount=amount,
            tiers=tiers,
            repeating=self.repeating,
            buy=self.buy,
            get=self.get,
            variant_id=variant_id,
            share=sale.share if sale else None,
            share_per_buyer=sale.per_buyer if sale else None,
            scope=scope,
            scope_ids=scope_ids,
            scope_brands=self.scope.brands if self.scope else [],
            currency=currency if self.has_amounts() else self.currency_code,
            minimum_amount=minimum,
            minimum_quantity=self.minimum_quantity,
            cap_amount=cap_amount,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            usage_limit=self.usage_limit,
            usage_limit_per_buyer=self.usage_limit_per_buyer,
            priority=self.priority,
            stackable=self.stackable,
            exclusion_groups=self.exclusion_groups,
            translations=translations_of(self.translations),
        )

    def has_amounts(self) -> bool:
        """Whether any of its terms is an amount of money, so that it needs a currency."""
        return bool(
            self.amount is not None or self.tiers or self.flash_sale or self.minimum or self.cap is not None
        )

    def amount_minor(self, currency: CurrencyCode) -> int | None:
        """Minor units a FIXED promotion takes off, or that a unit of a FLASH_SALE costs."""
        if self.flash_sale:
            return minor_units(self.flash_sale.price, currency, ("flash_sale", "price"))
        return None if self.amount is None else minor_units(self.amount, currency, ("amount",))


@input_type
class PromotionFilter:
    """Which promotions to list; a promotion must meet every condition given."""

    kind: PromotionKind | None = None
    """Of this kind."""
    status: PromotionStatus | None = None
    """With this status."""
    code: str | None = None
    """With a code that starts with this."""


def translations_of(texts: Sequence[PromotionTextInput]) -> dict[str, dict[str, str]]:
    """Translated titles by language, as they are stored."""
    return {text.language: {"title": text.title} for text in texts}


def tier_minor(tier: PromotionTierInput, currency: CurrencyCode, index: int) -> dict[str, int]:
    """A tier in minor units, as it is stored."""
    with collect_refusals() as check:
        minimum = check.value(minor_units, 0, tier.minimum, currency, ("tiers", index, "minimum"))
        amount = check.value(minor_units, 0, tier.amount, currency, ("tiers", index, "amount"))
    return {"minimum": minimum, "amount": amount}


def minor_units(amount: Decimal, currency: CurrencyCode, field: Field) -> int:
    """The amount in minor units; Invalid when it has more digits than the currency."""
    try:
        return Money.of(amount, currency).minor
    except (ValueError, ArithmeticError):
        raise Invalid("This is not an amount in {currency}.", currency=currency.value, field=field) from None
