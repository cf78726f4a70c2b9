"""What an edited order costs: the kept units at their agreed price, with all promotions computed anew."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime

from domain.address import PostalAddress
from domain.aftersales.order_editing.changes import OrderChanges
from domain.aftersales.order_editing.facts import AddedUnits, EditFacts, KeptLine
from domain.aftersales.order_editing.plan import (
    Discounts,
    EditPlan,
    PlannedAddition,
    PlannedDelivery,
    PlannedLine,
    PlannedRemoval,
    PlannedSource,
    merge_discounts,
)
from domain.aftersales.order_editing.restated_uses import restated_uses
from domain.errors import DomainError, collect_refusals
from domain.money import apportion
from domain.order.insert import titles_of
from domain.promotion import CouponRefused, category_ids_in, dump_rule
from domain.promotion.engine import (
    Basket,
    BasketLine,
    Discount,
    PricedBasket,
    PromotionRule,
    price_basket,
    refund_share,
)
from domain.promotion.pricing import UNKNOWN_COUPON, USABLE_REASONS
from domain.shipping import NotDeliverable
from models import Delivery, Money


@dataclass(frozen=True, slots=True)
class EditedUnits:
    """What an edit leaves of each line and delivery."""

    kept: Mapping[int, int]
    """Units by order line id."""
    added: Sequence[AddedUnits]
    addresses: Mapping[int, PostalAddress]
    """New addresses by delivery id."""
    removals: Sequence[PlannedRemoval]


def price_edit(facts: EditFacts, changes: OrderChanges, units: EditedUnits, *, now: datetime) -> EditPlan:
    """The plan of an edit whose units are known."""
    kept = [facts.kept[line_id] for line_id, count in units.kept.items() if count]
    deliveries = facts.sending.deliveries_without(())  # the fees of the others went back with their parcels
    fees = {each.id: fee_after(facts, units, each) for each in deliveries}
    rules = rules_for(facts, changes)
    priced = price_basket(
        Basket(
            lines=(
                *(kept_basket_line(facts, each, units.kept[each.line.id]) for each in kept),
                *(added_basket_line(each) for each in units.added),
            ),
            fees=tuple(fees.values()),
            currency=facts.order.currency,
        ),
        rules,
        facts.promotions.buyer,
        now=now,
    )
    check_codes(changes, facts, priced)
    discounts = dict(zip((each.line.id for each in kept), priced.lines, strict=False))
    is_complete = facts.promotions.is_complete
    restates_goods = is_complete and not changes.only_addresses
    restates_fees = restates_goods or (is_complete and any(fees[each.id] != each.fee for each in deliveries))
    lines = [
        planned_line(
            each,
            units.kept[line_id],
            discounts_as_stored(discounts[line_id].discounts)
            if restates_goods and line_id in discounts
            else None,
        )
        for line_id, each in facts.kept.items()
    ]
    additions = [
        planned_addition(each, discounts_as_stored(line.discounts) if restates_goods else [])
        for each, line in zip(units.added, priced.lines[len(kept) :], strict=True)
    ]
    planned = [
        planned_delivery(
            each,
            fees[each.id],
            discounts_as_stored(delivery.discounts) if restates_fees else None,
            units.addresses.get(each.id),
        )
        for each, delivery in zip(deliveries, priced.deliveries, strict=True)
    ]
    return EditPlan(
        lines=lines,
        additions=additions,
        deliveries=planned,
        removals=list(units.removals),
        uses=restated_uses(facts, lines, additions, planned, priced if restates_goods else None, rules),
        rules=[dump_rule(rule) for rule in rules] if is_complete else None,
    )


def rules_for(facts: EditFacts, changes: OrderChanges) -> list[PromotionRule]:
    """The stored rules without the codes that are taken off, and today's of the codes that are added."""
    if not facts.promotions.is_complete:
        return []
    rules = {
        rule.id: rule
        for rule in facts.promotions.stored
        if rule.code not in changes.remove_codes or not rule.code
    }
    for code in changes.add_codes:
        if rule := facts.promotions.added.get(code):
            rules.setdefault(rule.id, rule)
    return list(rules.values())


def check_known_codes(facts: EditFacts, changes: OrderChanges) -> None:
    """Refuse codes to be added that there are not, and codes to be taken off that the order has not."""
    with collect_refusals() as check:
        if not facts.promotions.is_complete and (changes.add_codes or changes.remove_codes):
            template = "The coupons of an order that was placed so long ago stay as they are."
            raise CouponRefused(template, field=("changes",))
        for index, code in enumerate(changes.add_codes):
            if code not in facts.promotions.added:
                check.add(CouponRefused(UNKNOWN_COUPON, field=("changes", "add_coupon_codes", index)))
        stored = {rule.code for rule in facts.promotions.stored}
        for index, code in enumerate(changes.remove_codes):
            if code not in stored:
                path = ("changes", "remove_coupon_codes", index)
                check.add(CouponRefused("This coupon is not on the order.", field=path))


def check_codes(changes: OrderChanges, facts: EditFacts, priced: PricedBasket) -> None:
    """Refuse an added code that cannot be used now."""
    evaluations = {each.promotion_id: each for each in priced.evaluations}
    with collect_refusals() as check:
        for index, code in enumerate(changes.add_codes):
            evaluation = evaluations[facts.promotions.added[code].id]
            if evaluation.reason not in USABLE_REASONS:
                path = ("changes", "add_coupon_codes", index)
                check.add(CouponRefused(evaluation.message, field=path))


def kept_basket_line(facts: EditFacts, kept: KeptLine, units: int) -> BasketLine:
    found = facts.variants[kept.line.variant_id].sellable
    return BasketLine(
        variant_id=kept.line.variant_id,
        product_id=kept.line.product_id,
        quantity=units,
        unit_price=kept.line.unit_price,
        category_ids=category_ids_in(found.category_path),
        brand=found.brand,
    )


def added_basket_line(added: AddedUnits) -> BasketLine:
    found = added.variant.sellable
    return BasketLine(
        variant_id=found.variant.id,
        product_id=found.variant.product_id,
        quantity=added.quantity,
        unit_price=added.unit_price,
        category_ids=category_ids_in(found.category_path),
        brand=found.brand,
    )


def fee_after(facts: EditFacts, units: EditedUnits, delivery: Delivery) -> Money:
    """As agreed where nothing of a delivery changes, else by today's tariff; none where nothing is left.

    Where it only goes elsewhere, what is agreed changes by what the ways differ.
    """
    sending = facts.sending
    removed = {each.delivery_line_id: each.units for each in units.removals}
    left = Counter[int]()
    for line in sending.lines:
        if line.delivery_id == delivery.id:
            left[line.order_line_id] += line.quantity - removed.get(line.id, 0)
    added = [
        (each, part.quantity)
        for each in units.added
        for delivery_id, part in each.sources
        if delivery_id == delivery.id
    ]
    if not added and not any(left.values()):
        return Money.zero(delivery.currency)
    is_same = all(line.id not in removed for line in sending.lines if line.delivery_id == delivery.id)
    is_unchanged = is_same and not added and delivery.id not in units.addresses
    if is_unchanged or not delivery.method.has_rates:
        return delivery.fee
    lines = [(facts.kept[line_id].line, count) for line_id, count in left.items()]
    weight = sum(line.weight_grams * count for line, count in lines)
    weight += sum(each.variant.sellable.variant.weight_grams * count for each, count in added)
    value = sum(
        [line.unit_price * count for line, count in lines]
        + [each.unit_price * count for each, count in added],
        start=Money.zero(delivery.currency),
    )
    try:
        fee = facts.tariff.fee(delivery.method, units.addresses.get(delivery.id) or delivery, weight, value)
    except DomainError as refusal:
        refusal.field = ("changes",)
        raise
    if not is_same or added:
        return fee
    with suppress(NotDeliverable):  # not sent to the first address any more
        fee = delivery.fee + fee - facts.tariff.fee(delivery.method, delivery, weight, value)
    return max(fee, Money.zero(fee.currency))


def planned_line(kept: KeptLine, units: int, discounts: Discounts | None) -> PlannedLine:
    """What becomes of a line; without discounts of its own it keeps those it has, by proportion."""
    line, removed = kept.line, kept.units - units
    removed_amount = refund_share(kept.amount, kept.units, 0, removed) if kept.units else 0
    rest = kept.amount - removed_amount
    rest_discount = line.unit_amount * units - rest
    amounts = [each["amount"] for each in line.discounts]
    shares = apportion(rest_discount, amounts)
    if discounts is None:
        discounts = with_amounts(line.discounts, shares)
    gone = with_amounts(line.discounts, [all - share for all, share in zip(amounts, shares, strict=True)])
    after = line.unit_amount * units - sum(each["amount"] for each in discounts)
    return PlannedLine(
        line_id=line.id,
        units_before=kept.units,
        units=units,
        before=kept.amount,
        after=after,
        removed_amount=removed_amount,
        discount_amount=line.discount_amount - rest_discount + (line.unit_amount * units - after),
        discounts=merge_discounts(gone, discounts),
    )


def with_amounts(discounts: Sequence[Mapping[str, int]], amounts: Sequence[int]) -> Discounts:
    return [
        {"promotion_id": each["promotion_id"], "amount": amount}
        for each, amount in zip(discounts, amounts, strict=True)
    ]


def planned_addition(added: AddedUnits, discounts: Discounts) -> PlannedAddition:
    found = added.variant.sellable
    return PlannedAddition(
        variant_id=found.variant.id,
        product_id=found.variant.product_id,
        sku=found.variant.sku,
        title=found.title,
        translations=titles_of(found),
        options=found.variant.options,
        picture_url=added.variant.picture_url,
        weight_grams=found.variant.weight_grams,
        tracked=found.variant.tracked,
        requires_shipping=found.variant.requires_shipping,
        unit_amount=added.unit_price.minor,
        quantity=added.quantity,
        discount_amount=sum(each["amount"] for each in discounts),
        discounts=discounts,
        sources=[
            PlannedSource(
                delivery_id=delivery_id,
                warehouse_id=part.warehouse_id,
                quantity=part.quantity,
                backordered=part.backordered,
            )
            for delivery_id, part in added.sources
        ],
    )


def planned_delivery(
    delivery: Delivery, fee: Money, discounts: Discounts | None, address: PostalAddress | None
) -> PlannedDelivery:
    """What becomes of a delivery; without discounts of its own it keeps the part of the fee that it had."""
    if discounts is None:
        part = delivery.discount_amount * fee.minor // delivery.fee_amount if delivery.fee_amount else 0
        amounts = [each["amount"] for each in delivery.discounts]
        discounts = with_amounts(delivery.discounts, apportion(part, amounts))
    return PlannedDelivery(
        delivery_id=delivery.id,
        before=delivery.total.minor,
        fee_amount=fee.minor,
        discount_amount=sum(each["amount"] for each in discounts),
        discounts=merge_discounts(discounts),
        address=asdict(address) if address else None,
    )


def discounts_as_stored(discounts: Sequence[Discount]) -> Discounts:
    return [{"promotion_id": each.promotion_id, "amount": each.amount.minor} for each in discounts]
