"""Attributes: what may be said about products, and in which words."""

import datetime
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.batches import batches
from domain.catalog.interchange import NAME_LIMIT
from domain.catalog.lock import alone
from domain.catalog.units import factor
from domain.catalog.values import AttributeFacts, Choice, Value, facts_of, parse_value, show_value
from domain.catalog.wording import index_with_attribute
from domain.errors import Invalid, LimitReached, NotFound, Taken, WrongState
from domain.versions import expect
from domain.visible import visible
from models import Attribute, AttributeType, AttributeValue, ProductAttribute

VALUE_LIMIT = 500
"""Values of one ENUM attribute."""

CODE = re.compile(r"[\w.-]{1,64}")
UNIT = re.compile(r"[^\d\s.,+-].*")


@dataclass(frozen=True, slots=True)
class ValueDraft:
    """A value an ENUM attribute shall allow."""

    code: str
    name: str
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Said:
    """One value of an attribute on a product, in the one column its type uses."""

    value_id: int | None = None
    number: Decimal | None = None
    boolean: bool | None = None
    text: str | None = None
    date: datetime.date | None = None


@dataclass(frozen=True)
class Meaning:
    """An attribute with the values it allows."""

    attribute: Attribute
    values: Sequence[AttributeValue] = ()

    @cached_property
    def facts(self) -> AttributeFacts:
        return facts_of(self.attribute, self.values)

    def read(self, text: str) -> Said:
        """What `text` says; WrongValue names the attribute, the text and what is allowed."""
        match parse_value(self.facts, text):
            case Choice() as choice:
                return Said(value_id=choice.id)
            case bool() as flag:
                return Said(boolean=flag)
            case Decimal() as number:
                return Said(number=number)
            case datetime.date() as day:
                return Said(date=day)
            case str() as words:
                return Said(text=words)

    def write(self, row: ProductAttribute) -> str:
        """The text that `read` turns into the same row."""
        return show_value(self.facts, self._value(row))

    def _value(self, row: ProductAttribute) -> Value:
        match self.attribute.type:
            case AttributeType.ENUM:
                return next(choice for choice in self.facts.choices if choice.id == row.value_id)
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
    *,
    attribute_id: int | None = None,
    code: str,
    name: str,
    type: AttributeType,
    unit: str | None = None,
    filterable: bool = False,
    values: Sequence[ValueDraft] = (),
    translations: Mapping[str, Mapping[str, str]] | None = None,
    version: int | None = None,
) -> Attribute:
    """Make an attribute, or make one what it shall be: what products say of it must still hold.

    `values` are all it allows, in their order; translations that are None stay as they are. Conflict when
    the attribute is not at `version` any more.
    """
    await alone(session)
    attribute = await _attribute(session, attribute_id, version)
    attribute.code = await _free_code(session, code.strip(), attribute_id)
    attribute.name = _named(name, ("name",))
    await _set_unit(session, attribute, unit)
    attribute.filterable = filterable
    if translations is not None:
        attribute.translations = {language: dict(texts) for language, texts in translations.items()}
    await _set_type(session, attribute, type)
    attribute.version += 1
    session.add(attribute)
    await session.flush()
    await _set_values(session, attribute, values)
    await session.flush()
    if attribute_id is not None:
        await index_with_attribute(session, attribute_id)
    return attribute


async def _attribute(session: AsyncSession, attribute_id: int | None, version: int | None) -> Attribute:
    if attribute_id is None:
        return Attribute(translations={}, version=0)
    known = await session.get(Attribute, attribute_id, populate_existing=True)
    if known is None:
        raise NotFound("attribute", field=("id",))
    expect(known, version)
    return known


async def _free_code(session: AsyncSession, code: str, attribute_id: int | None) -> str:
    code = _coded(code, ("code",))
    owner = await session.scalar(select(Attribute.id).where(Attribute.code == code))
    if owner not in (None, attribute_id):
        raise Taken(f'Another attribute has the code "{code}" already.', field=("code",))
    return code


async def _set_unit(session: AsyncSession, attribute: Attribute, unit: str | None) -> None:
    """Numbers mean what they meant: only another spelling of the unit may replace it once it is in use."""
    wanted = _named(unit, ("unit",)) if unit else None
    if wanted and not UNIT.fullmatch(wanted):
        raise Invalid("A unit does not begin with a digit or a sign.", field=("unit",))
    if attribute.unit and (wanted is None or factor(attribute.unit, wanted) != 1):
        await _refuse_used(session, attribute, f"are in {attribute.unit}", field="unit")
    attribute.unit = wanted


async def _refuse_used(session: AsyncSession, attribute: Attribute, what: str, *, field: str) -> None:
    used = select(func.count()).where(ProductAttribute.attribute_id == attribute.id)
    if count := await session.scalar(used):
        raise WrongState(f"{count} values of products {what}.", field=(field,))


async def _set_type(session: AsyncSession, attribute: Attribute, type: AttributeType) -> None:
    if attribute.type not in (None, type):
        await _refuse_used(session, attribute, f"are of the type {attribute.type.value}", field="type")
    attribute.type = type


async def _set_values(session: AsyncSession, attribute: Attribute, drafts: Sequence[ValueDraft]) -> None:
    wanted = _checked_values(attribute, drafts)
    rows = await session.scalars(select(AttributeValue).where(AttributeValue.attribute_id == attribute.id))
    known = {row.code: row for row in rows}
    for gone in known.keys() - wanted.keys():
        await _remove(session, known[gone])
    for position, draft in enumerate(wanted.values(), start=1):
        row = known.get(draft.code) or AttributeValue(attribute_id=attribute.id, code=draft.code)
        row.name = visible(draft.name)
        row.position = position
        row.translations = {language: dict(texts) for language, texts in draft.translations.items()}
        session.add(row)


def _checked_values(attribute: Attribute, drafts: Sequence[ValueDraft]) -> dict[str, ValueDraft]:
    if attribute.type is not AttributeType.ENUM and drafts:
        raise Invalid("Only an ENUM attribute lists its values.", field=("values",))
    if attribute.type is AttributeType.ENUM and not drafts:
        raise Invalid("An ENUM attribute allows at least one value.", field=("values",))
    if len(drafts) > VALUE_LIMIT:
        raise LimitReached(f"An attribute allows at most {VALUE_LIMIT} values.", field=("values",))
    wanted: dict[str, ValueDraft] = {}
    for index, draft in enumerate(drafts):
        _coded(draft.code, ("values", index, "code"))
        _named(draft.name, ("values", index, "name"))
        if draft.code in wanted:
            raise Taken(f'Two values have the code "{draft.code}".', field=("values", index, "code"))
        wanted[draft.code] = draft
    return wanted


async def _remove(session: AsyncSession, value: AttributeValue) -> None:
    used = select(func.count()).where(ProductAttribute.value_id == value.id)
    if count := await session.scalar(used):
        raise WrongState(f'{count} products are "{value.name}": it cannot be left out.', field=("values",))
    await session.delete(value)


def _coded(code: str, field: tuple[str | int, ...]) -> str:
    if not CODE.fullmatch(code):
        raise Invalid(
            f'"{code[:40]}" is no code: letters, digits, ".", "-" and "_", at most 64.', field=field
        )
    return code


def _named(name: str, field: tuple[str | int, ...]) -> str:
    said = visible(name)
    if not 1 <= len(said) <= NAME_LIMIT:
        raise Invalid(f"A name has 1 to {NAME_LIMIT} characters.", field=field)
    return said


async def meanings(session: AsyncSession, codes: Iterable[str]) -> dict[str, Meaning]:
    """Attributes by code; those the shop does not have are missing."""
    attributes: list[Attribute] = []
    for batch in batches(sorted(codes)):
        attributes += await session.scalars(select(Attribute).where(Attribute.code.in_(batch)))
    return await _with_values(session, attributes)


async def ensure_attributes(session: AsyncSession, codes: Collection[str]) -> dict[str, Meaning]:
    """Attributes by code; one the shop does not know takes any text."""
    known = await meanings(session, codes)
    made = [
        Attribute(code=code, name=code, type=AttributeType.TEXT, filterable=False, translations={})
        for code in sorted(set(codes) - known.keys())
    ]
    session.add_all(made)
    return known | {attribute.code: Meaning(attribute) for attribute in made}


async def all_meanings(session: AsyncSession) -> dict[int, Meaning]:
    """Every attribute by id."""
    attributes = (await session.scalars(select(Attribute))).all()
    found = await _with_values(session, attributes)
    return {meaning.attribute.id: meaning for meaning in found.values()}


async def _with_values(session: AsyncSession, attributes: Sequence[Attribute]) -> dict[str, Meaning]:
    values: defaultdict[int, list[AttributeValue]] = defaultdict(list)
    for batch in batches(attribute.id for attribute in attributes):
        for value in await session.scalars(
            select(AttributeValue)
            .where(AttributeValue.attribute_id.in_(batch))
            .order_by(AttributeValue.position, AttributeValue.id)
        ):
            values[value.attribute_id].append(value)
    return {each.code: Meaning(each, values[each.id]) for each in attributes}
