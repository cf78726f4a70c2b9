"""Attributes and their values on products."""

from collections.abc import Sequence
from decimal import Decimal

from domain.catalog.numbers import format_number
from loaders.catalog import load_attributes
from loaders.listing import AttributeValueCount
from models import Attribute, AttributeType, AttributeValue, ProductAttribute
from resolvers.context import Info
from text.messages import Message

FLAGS = (Message("no"), Message("yes"))


async def find_attribute(info: Info, attribute_id: int) -> Attribute | None:
    return await info.context.load.attribute.load(attribute_id)


async def attributes(info: Info, archived: bool = False) -> Sequence[Attribute]:
    """All attributes of the shop, by code.

    archived: true for those that are archived, too
    """
    return await load_attributes(info.context.shop.database.reads, archived=archived)


async def attribute_text(rows: Sequence[ProductAttribute], info: Info) -> Sequence[str]:
    """The value as people read it, in the viewer's language and with its unit."""
    attributes = await info.context.load.attribute.load_many([row.attribute_id for row in rows])
    values = await info.context.load.attribute_value.load_many([row.value_id or 0 for row in rows])
    return [
        display_text(info, attribute, value, row)
        for row, attribute, value in zip(rows, attributes, values, strict=True)
        if attribute
    ]


def attribute_number(root: ProductAttribute) -> Decimal | None:
    """The value of a NUMBER attribute, without its unit."""
    return None if root.number is None else Decimal(format_number(root.number))


def display_text(
    info: Info,
    attribute: Attribute,
    value: AttributeValue | None,
    row: ProductAttribute | AttributeValueCount,
) -> str:
    """A value as people read it; of an ENUM it is `value`, of the other types in `row`."""
    viewer = info.context.viewer_of(info)
    match attribute.type:
        case AttributeType.ENUM:
            return viewer.translate(value.translations, "name", value.name) if value else ""
        case AttributeType.NUMBER:
            unit = viewer.translate(attribute.translations, "unit", attribute.unit or "")
            return f"{format_number(row.number or Decimal(0))} {unit}".strip()
        case AttributeType.BOOLEAN:
            return viewer.text_of(FLAGS[bool(row.boolean)])
        case AttributeType.DATE:
            return row.date.isoformat() if row.date else ""
        case AttributeType.TEXT:
            return row.text or ""
