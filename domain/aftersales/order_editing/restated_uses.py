"""Which promotions an edited order uses, and what each takes off, cancelled units included."""

from collections import Counter
from collections.abc import Mapping, Sequence

from domain.aftersales.order_editing.facts import EditFacts
from domain.aftersales.order_editing.plan import PlannedAddition, PlannedDelivery, PlannedLine
from domain.promotion.engine import PricedBasket, PromotionRule, refund_share
from domain.promotion.restating import RestatedUse
from models import PromotionUse


def restated_uses(
    facts: EditFacts,
    lines: Sequence[PlannedLine],
    additions: Sequence[PlannedAddition],
    deliveries: Sequence[PlannedDelivery],
    priced: PricedBasket | None,
    rules: Sequence[PromotionRule],
) -> list[RestatedUse]:
    """Every promotion that the order uses or has used; without a priced basket the goods keep theirs."""
    amounts = amounts_by_promotion(facts, lines, additions, deliveries)
    by_id = {rule.id: rule for rule in rules}
    uses = {use.promotion_id: use for use in facts.promotions.uses}
    if priced is None:
        kept = [keep_use(use, amounts, lines, deliveries) for use in facts.promotions.uses]
        return kept + uses_of_fees(amounts, uses, by_id)
    applied = {each.promotion_id: each for each in priced.applied}
    return [
        RestatedUse(
            promotion_id=id,
            title=by_id[id].title if id in by_id else uses[id].title,
            code=by_id[id].code if id in by_id else uses[id].code,
            position=position,
            amount=amounts[id],
            flash_units=applied[id].flash_units if id in applied else 0,
            applies=id in applied,
        )
        for position, id in enumerate(dict.fromkeys([*applied, *uses]), start=1)
    ]


def amounts_by_promotion(
    facts: EditFacts,
    lines: Sequence[PlannedLine],
    additions: Sequence[PlannedAddition],
    deliveries: Sequence[PlannedDelivery],
) -> Counter[int]:
    planned = {each.delivery_id for each in deliveries}
    lists: list[Sequence[Mapping[str, int]]] = [line.discounts for line in lines]
    lists += [each.discounts for each in additions]
    lists += [each.discounts for each in deliveries]
    lists += [each.discounts for each in facts.sending.deliveries if each.id not in planned]
    amounts = Counter[int]()
    for discounts in lists:
        for discount in discounts:
            amounts[discount["promotion_id"]] += discount["amount"]
    return amounts


def uses_of_fees(
    amounts: Counter[int], uses: Mapping[int, PromotionUse], rules: Mapping[int, PromotionRule]
) -> list[RestatedUse]:
    """What takes something off the fees only since a delivery goes elsewhere."""
    return [
        RestatedUse(
            promotion_id=id,
            title=rules[id].title,
            code=rules[id].code,
            position=position,
            amount=amounts[id],
            flash_units=0,
            applies=True,
        )
        for position, id in enumerate([id for id in rules if amounts[id] and id not in uses], len(uses) + 1)
    ]


def keep_use(
    use: PromotionUse,
    amounts: Counter[int],
    lines: Sequence[PlannedLine],
    deliveries: Sequence[PlannedDelivery],
) -> RestatedUse:
    """A use as it is; a flash sale counts fewer units where some of its line are taken off."""
    is_of_fee = any(each["promotion_id"] == use.promotion_id for row in deliveries for each in row.discounts)
    flash_units = use.flash_units
    for line in lines:
        is_its = any(each["promotion_id"] == use.promotion_id for each in line.discounts)
        if flash_units and is_its and line.units_before:
            flash_units -= refund_share(use.flash_units, line.units_before, 0, line.removed)
    return RestatedUse(
        promotion_id=use.promotion_id,
        title=use.title,
        code=use.code,
        position=use.position,
        amount=amounts[use.promotion_id],
        flash_units=flash_units,
        applies=is_of_fee or (use.released_at is None and (flash_units > 0 or not use.flash_units)),
    )
