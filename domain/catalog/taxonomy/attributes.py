"""Attributes of products and the values they allow."""

import datetime
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.limits import NAME_LIMIT
from domain.catalog.lock import lock_catalogue
from domain.catalog.taxonomy.units import conversion_factor
from domain.catalog.taxonomy.values import (
    AttributeDefinition,
    Choice,
    Value,
    definition_of,
    format_value,
    parse_value,
)
from domain.errors import Invalid, LimitReached, NotFound, Taken, WrongState, collect_refusals
from domain.versions import check_version
from domain.visible_text import visible_text
from models import Attribute, AttributeType, AttributeValue, ProductAttribute
from models.sql.batches import in_batches

VALUE_LIMIT = 500
"""Values of one ENUM attribute."""

CODE = re.compile(r"[\w.-]{1,64}")
UNIT = re.compile(r"[^\d\s.,+-].*")

FieldPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class ValueDraft:
    """A value of an ENUM attribute."""

    code: str
    name: str
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AttributeDraft:
    """A whole attribute."""

    code: str
    name: str
    type: AttributeType
    unit: str | None = None
    filterable: bool = False
    values: Sequence[ValueDraft] = ()
    """All values it allows, in their order."""
    translations: Mapping[str, Mapping[str, str]] | None = None
    """None leaves them as they are."""


@dataclass(frozen=True, slots=True)
class ValueColumns:
    """One value of an attribute of a product, in the one column its type uses."""

    value_id: int | None = None
    number: Decimal | None = None
    boolean: bool | None = None
    text: str | None = None
    date: datetime.date | None = None


@dataclass(frozen=True)
class AttributeWithValues:
    """An attribute with the values it allows."""

    row: Attribute
    values: Sequence[AttributeValue] = ()

    @cached_property
    def definition(self) -> AttributeDefinition:
        return definition_of(self.row, self.values)

    def parse(self, text: str) -> ValueColumns:
        """The value that `text` means; WrongValue names the attribute, the text and what is allowed."""
        match parse_value(self.definition, text):
            case Choice() as choice:
                return ValueColumns(value_id=choice.id)
            case bool() as flag:
                return ValueColumns(boolean=flag)
            case Decimal() as number:
                return ValueColumns(number=number)
            case datetime.date() as day:
                return ValueColumns(date=day)
            case str() as plain:
                return ValueColumns(text=plain)

    def format(self, row: ProductAttribute) -> str:
        """The text that `parse` turns into the columns of this row."""
        return format_value(self.definition, self._value_of(row))

    def _value_of(self, row: ProductAttribute) -> Value:
        match self.row.type:
            case AttributeType.ENUM:
                return next(choice for choice in self.definition.choices if choice.id == row.value_id)
            case AttributeType.NUMBER:
                return row.number or Decimal(0)
            case AttributeType.BOOLEAN:
                return bool(row.boolean)
            case AttributeType.DATE:
                return row.date or datetime.date.min
            case AttributeType.TEXT:
                return row.text or ""


async def save_attribute(
    session: AsyncSession,
    draft: AttributeDraft,
    *,
    attribute_id: int | None = None,
    version: int | None = None,
) -> Attribute:
    """Create an attribute, or make one equal to the draft.

    WrongState when products have values that would not hold any more; Conflict when the attribute is not at
    `version` any more.
    """
    await lock_catalogue(session)
    attribute = await _find_attribute(session, attribute_id, version)
    with collect_refusals() as check:
        with check:
            attribute.code = await _require_free_code(session, draft.code.strip(), attribute_id)
        attribute.name = check.value(_require_name, "", draft.name, ("name",))
        with check:
            await _set_type(session, attribute, draft.type)
        with check:
            await _set_unit(session, attribute, draft.unit)
        with check:
            _validate_values(draft)
    attribute.filterable = draft.filterable
    if draft.translations is not None:
        attribute.translations = {language: dict(texts) for language, texts in draft.translations.items()}
    attribute.version += 1
    session.add(attribute)
    await session.flush()
    await _set_values(session, attribute, draft.values)
    await session.flush()
    return attribute


async def _find_attribute(session: AsyncSession, attribute_id: int | None, version: int | None) -> Attribute:
    if attribute_id is None:
        return Attribute(translations={}, version=0)
    attribute = await session.get(Attribute, attribute_id, populate_existing=True)
    if attribute is None:
        raise NotFound("attribute", field=("id",))
    check_version(attribute, version)
    return attribute


async def _require_free_code(session: AsyncSession, code: str, attribute_id: int | None) -> str:
    code = _require_code(code, ("code",))
    owner = await session.scalar(select(Attribute.id).where(Attribute.code == code))
    if owner not in (None, attribute_id):
        raise Taken('Another attribute has the code "{code}" already.', code=code, field=("code",))
    return code


async def _set_unit(session: AsyncSession, attribute: Attribute, unit: str | None) -> None:
    """Set the unit; once products have values, only another spelling of the same unit is taken."""
    name = _require_name(unit, ("unit",)) if unit else None
    if name and not UNIT.fullmatch(name):
        raise Invalid("A unit does not begin with a digit or a sign.", field=("unit",))
    differs = attribute.unit and (name is None or conversion_factor(attribute.unit, name) != 1)
    if differs and (count := await _count_values(session, attribute)):
        raise WrongState(
            "{count} value of products is in {unit}.",
            plural="{count} values of products are in {unit}.",
            count=count,
            unit=attribute.unit,
            field=("unit",),
        )
    attribute.unit = name


async def _count_values(session: AsyncSession, attribute: Attribute) -> int:
    """How many values of products are of the attribute."""
    used = select(func.count()).where(ProductAttribute.attribute_id == attribute.id)
    return await session.scalar(used) or 0


async def _set_type(session: AsyncSession, attribute: Attribute, type: AttributeType) -> None:
    if attribute.type not in (None, type) and (count := await _count_values(session, attribute)):
        raise WrongState(
            "{count} value of products is of the type {type}.",
            plural="{count} values of products are of the type {type}.",
            count=count,
            type=attribute.type.value,
            field=("type",),
        )
    attribute.type = type


async def _set_values(session: AsyncSession, attribute: Attribute, drafts: Sequence[ValueDraft]) -> None:
    by_code = {draft.code: draft for draft in drafts}
    rows = await session.scalars(select(AttributeValue).where(AttributeValue.attribute_id == attribute.id))
    known = {row.code: row for row in rows}
    with collect_refusals() as check:
        for code in sorted(known.keys() - by_code.keys()):
            with check:
                await _delete_value(session, known[code])
    for position, draft in enumerate(by_code.values(), start=1):
        row = known.get(draft.code) or AttributeValue(attribute_id=attribute.id, code=draft.code)
        row.name = visible_text(draft.name)
        row.position = position
        row.translations = {language: dict(texts) for language, texts in draft.translations.items()}
        session.add(row)


def _validate_values(draft: AttributeDraft) -> None:
    """Refuse values that cannot be those of the attribute, whatever products have."""
    drafts = draft.values
    if draft.type is not AttributeType.ENUM and drafts:
        raise Invalid("Only an ENUM attribute lists its values.", field=("values",))
    if draft.type is AttributeType.ENUM and not drafts:
        raise Invalid("An ENUM attribute allows at least one value.", field=("values",))
    if len(drafts) > VALUE_LIMIT:
        raise LimitReached(
            "An attribute allows at most {limit} values.", limit=VALUE_LIMIT, field=("values",)
        )
    with collect_refusals() as check:
        for index, value in enumerate(drafts):
            path = ("values", index)
            with check:
                _require_code(value.code, (*path, "code"))
            with check:
                _require_name(value.name, (*path, "name"))
            if value.code in {each.code for each in drafts[:index]}:
                check.add(Taken('Two values have the code "{code}".', code=value.code, field=(*path, "code")))


async def _delete_value(session: AsyncSession, value: AttributeValue) -> None:
    used = select(func.count()).where(ProductAttribute.value_id == value.id)
    if count := await session.scalar(used):
        raise WrongState(
            '{count} product is "{name}": it cannot be left out.',
            plural='{count} products are "{name}": it cannot be left out.',
            count=count,
            name=value.name,
            field=("values",),
        )
    await session.delete(value)


def _require_code(code: str, field: FieldPath) -> str:
    if not CODE.fullmatch(code):
        raise Invalid(
            '"{code}" is no code: letters, digits, ".", "-" and "_", at most 64.', code=code[:40], field=field
        )
    return code


def _require_name(text: str, field: FieldPath) -> str:
    name = visible_text(text)
    if not 1 <= len(name) <= NAME_LIMIT:
        raise Invalid("A name has 1 to {limit} characters.", limit=NAME_LIMIT, field=field)
    return name


async def attributes_by_code(session: AsyncSession, codes: Iterable[str]) -> dict[str, AttributeWithValues]:
    """Attributes by code; those the shop does not have are missing."""
    attributes: list[Attribute] = []
    for batch in in_batches(sorted(codes)):
        attributes += await session.scalars(select(Attribute).where(Attribute.code.in_(batch)))
    return await _add_values(session, attributes)


async def ensure_attributes(session: AsyncSession, codes: Collection[str]) -> dict[str, AttributeWithValues]:
    """Attributes by code; those the shop does not have are created as TEXT attributes."""
    known = await attributes_by_code(session, codes)
    created = [
        Attribute(code=code, name=code, type=AttributeType.TEXT, filterable=False, translations={})
        for code in sorted(set(codes) - known.keys())
    ]
    session.add_all(created)
    return known | {attribute.code: AttributeWithValues(attribute) for attribute in created}


async def attributes_by_id(session: AsyncSession) -> dict[int, AttributeWithValues]:
    """All attributes of the shop by id."""
    attributes = (await session.scalars(select(Attribute))).all()
    found = await _add_values(session, attributes)
    return {attribute.row.id: attribute for attribute in found.values()}


async def _add_values(
    session: AsyncSession, attributes: Sequence[Attribute]
) -> dict[str, AttributeWithValues]:
    values: defaultdict[int, list[AttributeValue]] = defaultdict(list)
    for batch in in_batches(attribute.id for attribute in attributes):
        for value in await session.scalars(
            select(AttributeValue)
            .where(AttributeValue.attribute_id.in_(batch))
            .order_by(AttributeValue.position, AttributeValue.id)
        ):
            values[value.attribute_id].append(value)
    return {each.code: AttributeWithValues(each, values[each.id]) for each in attributes}
