"""Planning an edit: which units go and come, from where, and what everything costs then."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from domain.address import PostalAddress, keep_coordinates, normalize_address, postal_address_of
from domain.aftersales.order_editing.changes import LineAddition, LineChange, OrderChanges
from domain.aftersales.order_editing.facts import AddedUnits, EditFacts
from domain.aftersales.order_editing.plan import EditPlan, PlannedRemoval
from domain.aftersales.order_editing.pricing import EditedUnits, check_known_codes, price_edit
from domain.aftersales.rules import ClaimedUnits
from domain.aftersales.withdrawal import AlreadyPacked, SendingPlan
from domain.cart import QUANTITY_LIMIT
from domain.cart.sellable import label_of
from domain.errors import (
    DomainError,
    ErrorCode,
    Invalid,
    NotForSale,
    NotFound,
    OutOfStock,
    WrongState,
    collect_refusals,
)
from domain.order.allocation import AvailableStock, DeliveryPlace, allocate_units
from domain.order.basket import VariantStock
from models import Delivery, ProductStatus, ShippingMethod

Path = tuple[str | int, ...]


class NothingLeft(DomainError):
    code = ErrorCode.EMPTY

    def __init__(self) -> None:
        super().__init__(
            "Nothing would be left on this order: cancel it instead.", field=("changes", "lines")
        )


@dataclass(slots=True)
class RequestedUnits:
    """How many units of each line stay, and which variants are added to which delivery."""

    kept: dict[int, int]
    """By order line id."""
    added: Counter[tuple[int, int]] = field(default_factory=Counter)
    """By delivery and variant id."""
    fields: dict[int, Path] = field(default_factory=dict)
    """Where each added variant was named."""


def plan_edit(facts: EditFacts, changes: OrderChanges, *, now: datetime) -> EditPlan:
    """The plan of an edit; raises why it cannot be made."""
    changes.check()
    sending = editable_part(facts.sending)
    requested = RequestedUnits({line_id: each.units for line_id, each in facts.kept.items()})
    removals: list[PlannedRemoval] = []
    with collect_refusals() as check:
        check.add(*changes.refused)
        for index, change in enumerate(changes.lines):
            with check:
                path = ("changes", "lines", index)
                check_line_change(facts, changes, change, path)
                removals += apply_line_change(facts, sending, requested, change, path)
        for index, addition in enumerate(changes.additions):
            with check:
                apply_addition(facts, sending, requested, addition, ("changes", "additions", index))
        removals = keep_units_added_again(facts, sending, requested, removals)
        for delivery_id, variant_id in requested.added:
            with check:
                check_sellable(facts, requested, variant_id)
                check_shippable(facts, requested, delivery_id, variant_id)
        # Where one of them was refused before, the others are not counted as in the form any more.
        known = not any("addresses" in refusal.field for refusal in changes.refused)
        addresses = check.value(normalized_addresses, {}, facts, sending, changes) if known else {}
        with check:
            check_coupons(facts.sending, changes)
            check_known_codes(facts, changes)
    allocated = allocate_additions(facts, requested, addresses)
    units = EditedUnits(requested.kept, allocated, addresses, removals)
    plan = price_edit(facts, changes, units, now=now)
    if not plan.keeps_anything:
        raise NothingLeft
    return plan


def check_coupons(sending: SendingPlan, changes: OrderChanges) -> None:
    """WrongState where coupons are to change and anything has been packed: they reprice the whole order."""
    if (changes.add_codes or changes.remove_codes) and any(line.packed for line in sending.lines):
        field = "add_coupon_codes" if changes.add_codes else "remove_coupon_codes"
        raise WrongState(
            "Part of this is packed or sent already: its coupons stay as they are.", field=("changes", field)
        )


def editable_part(sending: SendingPlan) -> SendingPlan:
    """The deliveries of which nothing is packed, and their lines."""
    packed = {line.delivery_id for line in sending.lines if line.packed}
    lines = [line for line in sending.lines if line.delivery_id not in packed]
    used = {line.delivery_id for line in lines}
    return SendingPlan([each for each in sending.deliveries if each.id in used], lines)


def check_line_change(facts: EditFacts, changes: OrderChanges, change: LineChange, path: Path) -> None:
    """Refuse a change of a line that is not the order's or named twice, and what it is not changed to."""
    with collect_refusals() as check:
        if change.order_line_id not in facts.kept:
            check.add(NotFound("order line", field=(*path, "order_line_id")))
        elif next(each for each in changes.lines if each.order_line_id == change.order_line_id) is not change:
            check.add(Invalid("Name each line once.", field=(*path, "order_line_id")))
        if not 0 <= change.quantity <= QUANTITY_LIMIT:
            template = "A quantity is between 0 and {limit}."
            check.add(Invalid(template, limit=QUANTITY_LIMIT, field=(*path, "quantity")))
        if change.variant_id is not None:
            with check:
                find_variant(facts, change.variant_id, (*path, "variant_id"))


def find_variant(facts: EditFacts, variant_id: int, path: Path) -> VariantStock:
    """A variant that is shown to customers; NotFound for any other."""
    found = facts.variants.get(variant_id)
    if found is None or found.sellable.status is ProductStatus.DRAFT:
        raise NotFound("variant", field=path)
    return found


def apply_line_change(
    facts: EditFacts, sending: SendingPlan, requested: RequestedUnits, change: LineChange, path: Path
) -> Iterator[PlannedRemoval]:
    """Note what stays of a line and what is added for it; the units that are taken off."""
    kept = facts.kept[change.order_line_id]
    replaced = change.variant_id is not None and change.variant_id != kept.line.variant_id
    stays = 0 if replaced else min(kept.units, change.quantity)
    removals = list(remove_from_line(sending, change.order_line_id, kept.units - stays, path))
    requested.kept[change.order_line_id] = stays
    if more := change.quantity - stays:
        variant_id = change.variant_id or kept.line.variant_id
        requested.fields.setdefault(variant_id, (*path, "variant_id" if replaced else "quantity"))
        for delivery_id, units in divide_as_removed(sending, change.order_line_id, removals, more, path):
            requested.added[delivery_id, variant_id] += units
    yield from removals


def remove_from_line(
    sending: SendingPlan, order_line_id: int, units: int, path: Path
) -> Iterator[PlannedRemoval]:
    if not units:
        return
    try:
        for each in sending.withdraw([ClaimedUnits(order_line_id, units)]):
            yield PlannedRemoval(delivery_line_id=each.line.id, order_line_id=order_line_id, units=each.units)
    except AlreadyPacked:
        raise WrongState(
            "Part of this is packed or sent already: it can only be returned.", field=path
        ) from None


def divide_as_removed(
    sending: SendingPlan, order_line_id: int, removals: Sequence[PlannedRemoval], units: int, path: Path
) -> Iterator[tuple[int, int]]:
    """The deliveries that get the units: those that lose some, as many as they lose, then the last one."""
    delivery_of = {line.id: line.delivery_id for line in sending.lines}
    lost = [(delivery_of[each.delivery_line_id], each.units) for each in removals]
    lines = sending.lines_of(order_line_id)
    if not lines:
        raise WrongState("Part of this is packed or sent already; add it anew.", field=path)
    for delivery_id, count in lost:
        if part := min(units, count):
            yield delivery_id, part
            units -= part
    if units:
        yield (lost[-1][0] if lost else lines[0].delivery_id), units


def apply_addition(
    facts: EditFacts, sending: SendingPlan, requested: RequestedUnits, addition: LineAddition, path: Path
) -> None:
    with collect_refusals() as check:
        with check:
            find_variant(facts, addition.variant_id, (*path, "variant_id"))
        if not 1 <= addition.quantity <= QUANTITY_LIMIT:
            template = "A quantity is between 1 and {limit}."
            check.add(Invalid(template, limit=QUANTITY_LIMIT, field=(*path, "quantity")))
        with check:
            delivery = delivery_for(facts, sending, addition, (*path, "delivery_id"))
    requested.fields.setdefault(addition.variant_id, (*path, "variant_id"))
    requested.added[delivery.id, addition.variant_id] += addition.quantity


def keep_units_added_again(
    facts: EditFacts, sending: SendingPlan, requested: RequestedUnits, removals: Sequence[PlannedRemoval]
) -> list[PlannedRemoval]:
    """The removals without units of which the same delivery gets the same variant again: these are kept, at
    their agreed price.
    """
    delivery_of = {line.id: line.delivery_id for line in sending.lines}
    left = []
    for each in removals:
        added = delivery_of[each.delivery_line_id], facts.kept[each.order_line_id].line.variant_id
        again = min(each.units, requested.added[added])
        requested.kept[each.order_line_id] += again
        requested.added[added] -= again
        if each.units > again:
            left.append(replace(each, units=each.units - again))
    requested.added = +requested.added
    return left


def delivery_for(facts: EditFacts, sending: SendingPlan, addition: LineAddition, path: Path) -> Delivery:
    """The delivery that something is added to, of which nothing may be packed."""
    delivery_id = addition.delivery_id
    if delivery_id is not None and delivery_id not in {each.id for each in facts.sending.deliveries}:
        raise NotFound("delivery", field=path)
    found = [each for each in sending.deliveries if delivery_id in (None, each.id)]
    if delivery_id is None and (stock := facts.variants.get(addition.variant_id)):
        is_sent = stock.sellable.variant.requires_shipping
        fitting = [each for each in found if (each.method is not ShippingMethod.NONE) == is_sent]
        found = fitting or found
    if not found:
        raise WrongState("Part of this is packed already.", field=path)
    if len(found) > 1:
        raise Invalid("Say to which delivery it is added.", field=path)
    return found[0]


def check_sellable(facts: EditFacts, requested: RequestedUnits, variant_id: int) -> None:
    """Refuse variants that are not sold today, or of which too few are available."""
    path = requested.fields[variant_id]
    found = find_variant(facts, variant_id, path)
    if found.sellable.unit_price is None:
        raise NotForSale("{name} is not sold any more.", name=label_of(found.sellable), field=path)
    units = sum(count for (_, added), count in requested.added.items() if added == variant_id)
    available = found.sellable.available
    if available is not None and available < units:
        raise OutOfStock(label_of(found.sellable), left=available, variant_id=variant_id, field=path)


def check_shippable(facts: EditFacts, requested: RequestedUnits, delivery_id: int, variant_id: int) -> None:
    """Refuse what needs another way of sending, or a confirmation of its buyer that it cannot be returned."""
    [delivery] = [each for each in facts.sending.deliveries if each.id == delivery_id]
    found = facts.variants[variant_id].sellable
    needs_confirmation = facts.terms.exclusion_of(found.variant.product_id, found.category_path)
    if needs_confirmation or found.variant.requires_shipping == (delivery.method is ShippingMethod.NONE):
        raise NotForSale(
            "{name} cannot be added to this order; order it anew.",
            name=label_of(found),
            field=requested.fields[variant_id],
        )


def normalized_addresses(
    facts: EditFacts, sending: SendingPlan, changes: OrderChanges
) -> dict[int, PostalAddress]:
    """The new address of each delivery; one that is what it was is left out."""
    editable = {each.id: each for each in sending.deliveries}
    found: dict[int, PostalAddress] = {}
    with collect_refusals() as check:
        for index, (delivery_id, address) in enumerate(changes.addresses.items()):
            path = ("changes", "addresses", index)
            with check:
                delivery = find_redirected(
                    facts, editable.get(delivery_id), delivery_id, (*path, "delivery_id")
                )
                before = postal_address_of(delivery)
                postal = keep_coordinates(
                    normalize_address(address, field=(*path, "address", "postal")), before
                )
                if postal != before:
                    found[delivery_id] = postal
    return found


def find_redirected(facts: EditFacts, delivery: Delivery | None, delivery_id: int, path: Path) -> Delivery:
    """The delivery that is to go elsewhere; refused where nothing of it does, or it is packed."""
    if not facts.sending.units_of(delivery_id):
        raise WrongState("Nothing is sent there any more.", field=path)
    if delivery is None:
        raise WrongState("Part of this is packed already.", field=path)
    if not delivery.method.has_rates:
        raise WrongState("This goes to no address.", field=path)
    return delivery


def allocate_additions(
    facts: EditFacts, requested: RequestedUnits, addresses: Mapping[int, PostalAddress]
) -> list[AddedUnits]:
    """From which warehouse each added unit leaves, as where an order is placed."""
    variant_ids = list(dict.fromkeys(variant_id for _, variant_id in requested.added))
    found = [facts.variants[variant_id] for variant_id in variant_ids]
    stock = AvailableStock(
        units={
            (index, warehouse_id): units
            for index, each in enumerate(found)
            for warehouse_id, units in each.stock.items()
        },
        unlimited=indexes_of(not each.sellable.variant.tracked for each in found),
        backordered=indexes_of(each.sellable.variant.is_backordered_when_out for each in found),
    )
    deliveries = list(dict.fromkeys(delivery_id for delivery_id, _ in requested.added))
    by_id = {each.id: each for each in facts.sending.deliveries}
    places = [
        (
            place_of(facts, by_id[delivery_id], addresses.get(delivery_id)),
            {
                index: requested.added[delivery_id, variant_id]
                for index, variant_id in enumerate(variant_ids)
                if (delivery_id, variant_id) in requested.added
            },
        )
        for delivery_id in deliveries
    ]
    parts = allocate_units(places, stock, facts.warehouses)
    return [
        AddedUnits(each, [(deliveries[part.delivery], part) for part in parts if part.line == index])
        for index, each in enumerate(found)
    ]


def place_of(facts: EditFacts, delivery: Delivery, address: PostalAddress | None) -> DeliveryPlace:
    """Where a delivery goes; what is collected leaves the warehouse in which the rest of it is."""
    place = DeliveryPlace.of(address or delivery)
    if delivery.method is not ShippingMethod.PICKUP:
        return place
    [first, *_] = [line for line in facts.sending.lines if line.delivery_id == delivery.id]
    here = next((each for each in facts.warehouses if each.id == first.warehouse_id), None)
    return replace(place, pickup_at=here)


def indexes_of(conditions: Iterable[bool]) -> frozenset[int]:
    return frozenset(index for index, holds in enumerate(conditions) if holds)
