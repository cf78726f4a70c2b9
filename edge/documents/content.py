"""What printed documents say, before they are a page or a file: texts and numbers, in one language."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from domain.order import label_of_line
from domain.stock import sort_key_of_place
from loaders.document import LabelFacts, PackedUnits, PickListFacts
from models import Delivery, Money, Warehouse
from text.messages import Message

TEXT_LIMIT = 200
"""Characters of a name or an address on paper."""
STARS = "**"
PHONE_END = 4
"""Digits of a phone number that a packing slip shows."""

UNPRINTABLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Characters that print nothing, or turn the direction of what follows."""
BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Party:
    """Who sends or receives a parcel."""

    title: str
    name: str
    phone: str
    address: str


@dataclass(frozen=True, slots=True)
class LabelContent:
    """What stands on the label of a parcel; the barcode is of `number`."""

    carrier: str
    number: str
    part: str
    """Its place among the parcels of a waybill, such as "1/3"; empty for one that goes by itself."""
    mother: str
    """The number of the waybill that it goes along on; empty for one that does not."""
    receiver: Party
    sender: Party
    cash: str
    """What is to be collected at the door; empty for nothing."""
    parcel_number: str
    footer: str


@dataclass(frozen=True, slots=True)
class TableContent:
    """A page with a table: a packing slip or a pick list; the barcode is of `number`."""

    title: str
    number: str
    facts: Sequence[tuple[str, str]]
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def clean_text(text: str) -> str:
    """A text as it is printed: in one line, without what prints nothing, not too long."""
    visible = "".join(
        each for each in text if each.isspace() or unicodedata.category(each) not in UNPRINTABLE
    )
    line = BLANKS.sub(" ", visible).strip()
    return line if len(line) <= TEXT_LIMIT else f"{line[: TEXT_LIMIT - 1]}…"


def mask_name(name: str) -> str:
    """The first letter of a name."""
    cleaned = clean_text(name)
    return f"{cleaned[0]}{STARS}" if cleaned else ""


def mask_phone(phone: str) -> str:
    """The last digits of a phone number."""
    digits = "".join(each for each in phone if each.isdigit())
    return f"{STARS}{digits[-PHONE_END:]}" if len(digits) > PHONE_END else STARS


def describe_label(facts: LabelFacts, cash: Money | None, language: str) -> LabelContent:
    shipment, route = facts.route.shipment, facts.route
    weight = Message("{grams} g", grams=shipment.weight_grams).text(language)
    together = facts.parcels > 1
    return LabelContent(
        carrier=clean_text(facts.carrier_name),
        number=clean_text(facts.number or shipment.number),
        part=f"{facts.position}/{facts.parcels}" if together else "",
        mother=clean_text(facts.mother_number or ""),
        receiver=Party(
            Message("To").text(language),
            clean_text(route.delivery.recipient),
            clean_text(route.delivery.phone),
            address_of(route.delivery),
        ),
        sender=Party(
            Message("From").text(language), clean_text(route.warehouse.name), "", address_of(route.warehouse)
        ),
        cash=Message("Collect {cash}", cash=cash).text(language) if cash else "",
        parcel_number=shipment.number,
        footer=f"{route.order.number} · {shipment.number} · {weight}",
    )


def address_of(place: Delivery | Warehouse) -> str:
    further = (place.line2, place.postal_code) if isinstance(place, Delivery) else ()
    parts = (place.province, place.city, place.district, place.line1, *further)
    return clean_text(" ".join(part for part in parts if part))


def describe_slip(facts: LabelFacts, units: Sequence[PackedUnits], language: str) -> TableContent:
    """What lies in a parcel; whoever finds it learns neither the name nor the number of its receiver."""
    shipment, delivery = facts.route.shipment, facts.route.delivery
    named = {
        Message("Order"): facts.route.order.number,
        Message("To"): f"{mask_name(delivery.recipient)} {mask_phone(delivery.phone)}",
        Message("City"): clean_text(f"{delivery.province} {delivery.city}"),
        Message("Carrier"): clean_text(f"{facts.carrier_name} {facts.number or ''}"),
    }
    return TableContent(
        title=Message("Packing slip").text(language),
        number=shipment.number,
        facts=[(name.text(language), text) for name, text in named.items() if text],
        columns=[each.text(language) for each in (Message("Product"), Message("Code"), Message("Units"))],
        rows=[
            (title_of(each, language), clean_text(each.barcode or each.line.sku or ""), str(each.quantity))
            for each in units
        ],
    )


def title_of(units: PackedUnits, language: str) -> str:
    chosen = " / ".join(str(option["value"]) for option in units.line.options)
    return clean_text(f"{label_of_line(units.line).text(language)} {chosen}")


def describe_pick_list(facts: PickListFacts, language: str) -> TableContent:
    """What is picked, in the order of the places, with how much of it each order gets."""
    rows = []
    units = sorted(facts.units, key=lambda each: (sort_key_of_place(each.bin_place), each.variant_id))
    for _, group in groupby(units, key=lambda each: each.variant_id):
        picked = list(group)
        first = picked[0]
        title = title_of(PackedUnits(first.line, first.barcode, first.quantity), language)
        rows.append(
            (
                clean_text(first.bin_place),
                title,
                clean_text(first.barcode or first.line.sku or ""),
                str(sum(each.quantity for each in picked)),
                ", ".join(f"{each.order_number} × {each.quantity}" for each in picked),
            )
        )
    names = (
        Message("Place"),
        Message("Product"),
        Message("Code"),
        Message("Units"),
        Message("Orders"),
    )
    named = {
        Message("Warehouse"): clean_text(facts.warehouse.name),
        Message("Carrier"): facts.wave.carrier or "",
    }
    return TableContent(
        title=Message("Pick list").text(language),
        number=facts.wave.number,
        facts=[(name.text(language), text) for name, text in named.items() if text],
        columns=[each.text(language) for each in names],
        rows=rows,
    )
