"""Attributes: what may be said about products, and in which words."""

import datetime
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.batches import batches
from domain.catalog.interchange import NAME_LIMIT
from domain.catalog.lock import alone
from domain.catalog.wording import index_with_attribute
from domain.errors import Invalid, LimitReached, NotFound, Taken, WrongState
from models import Attribute, AttributeType, AttributeValue, ProductAttribute

VALUE_LIMIT = 500
"""Values of one ENUM attribute."""

NUMBER_LIMIT = Decimal(1_000_000_000)
NUMBER_DECIMALS = 6
"""Fifteen digits in all: SQLite keeps numbers as doubles."""

CODE = re.compile(r"[\w.-]{1,64}")
TOLD = 10
"""Allowed values a refusal lists."""

FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


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


@dataclass(frozen=True, slots=True)
class Meaning:
    """An attribute with the values it allows."""

    attribute: Attribute
    values: Sequence[AttributeValue] = ()

    def read(self, text: str) -> Said:
        """What `text` says; ValueError names the attribute, the text and what is allowed."""
        match self.attribute.type:
            case AttributeType.ENUM:
                return Said(value_id=self._value(text).id)
            case AttributeType.NUMBER:
                return Said(number=self._number(text))
            case AttributeType.BOOLEAN:
                return Said(boolean=self._flag(text))
            case AttributeType.DATE:
                return Said(date=self._date(text))
            case AttributeType.TEXT:
                return Said(text=self._text(text))

    def write(self, row: ProductAttribute) -> str:
        """The text that `read` turns into the same row."""
        match self.attribute.type:
            case AttributeType.ENUM:
                return next(value.code for value in self.values if value.id == row.value_id)
            case AttributeType.NUMBER:
                return spelled(row.number or Decimal(0))
            case AttributeType.BOOLEAN:
                return "true" if row.boolean else "false"
            case AttributeType.DATE:
                return row.date.isoformat() if row.date else ""
            case AttributeType.TEXT:
                return row.text or ""

    def _value(self, text: str) -> AttributeValue:
        by_name = {value.name: value for value in reversed(self.values)}
        by_code = {value.code: value for value in self.values}
        found = by_code.get(text) or by_name.get(text)
        if found is None:
            codes = [value.code for value in self.values]
            more = f" and {len(codes) - TOLD} more" if len(codes) > TOLD else ""
            raise self._wrong(text, f"one of {', '.join(codes[:TOLD])}{more}")
        return found

    def _number(self, text: str) -> Decimal:
        try:
            number = Decimal(text) + 0
            if number.is_finite() and abs(number) < NUMBER_LIMIT and number == round(number, NUMBER_DECIMALS):
                return number
        except InvalidOperation:
            pass
        raise self._wrong(text, f"a number below {NUMBER_LIMIT:,} with at most {NUMBER_DECIMALS} decimals")

    def _flag(self, text: str) -> bool:
        if text.lower() not in FLAGS:
            raise self._wrong(text, "true or false")
        return FLAGS[text.lower()]

    def _date(self, text: str) -> datetime.date:
        try:
            return datetime.date.fromisoformat(text)
        except ValueError:
            raise self._wrong(text, "a date such as 2026-03-01") from None

    def _text(self, text: str) -> str:
        if not 1 <= len(text) <= NAME_LIMIT:
            raise self._wrong(text, f"a text of 1 to {NAME_LIMIT} characters")
        return text

    def _wrong(self, text: str, allowed: str) -> ValueError:
        shown = text if len(text) <= 40 else f"{text[:40]}..."
        return ValueError(
            f'{self.attribute.name} ({self.attribute.code}) cannot be "{shown}": it is {allowed}'
        )


def spelled(number: Decimal) -> str:
    """A number without an exponent or zeros that say nothing."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


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
) -> Attribute:
    """Make an attribute, or make one what it shall be: what products say of it must still hold.

    `values` are all it allows, in their order; translations that are None stay as they are.
    """
    await alone(session)
    attribute = await _attribute(session, attribute_id)
    attribute.code = await _free_code(session, code.strip(), attribute_id)
    attribute.name = _named(name, ("name",))
    attribute.unit = _named(unit, ("unit",)) if unit else None
    attribute.filterable = filterable
    if translations is not None:
        attribute.translations = {language: dict(texts) for language, texts in translations.items()}
    await _set_type(session, attribute, type)
    session.add(attribute)
    await session.flush()
    await _set_values(session, attribute, values)
    await session.flush()
    if attribute_id is not None:
        await index_with_attribute(session, attribute_id)
    return attribute


async def _attribute(session: AsyncSession, attribute_id: int | None) -> Attribute:
    if attribute_id is None:
        return Attribute(translations={})
    known = await session.get(Attribute, attribute_id)
    if known is None:
        raise NotFound("attribute", field=("id",))
    return known


async def _free_code(session: AsyncSession, code: str, attribute_id: int | None) -> str:
    code = _coded(code, ("code",))
    owner = await session.scalar(select(Attribute.id).where(Attribute.code == code))
    if owner not in (None, attribute_id):
        raise Taken(f'Another attribute has the code "{code}" already.', field=("code",))
    return code


async def _set_type(session: AsyncSession, attribute: Attribute, type: AttributeType) -> None:
    if attribute.type not in (None, type):
        used = select(func.count()).where(ProductAttribute.attribute_id == attribute.id)
        if count := await session.scalar(used):
            raise WrongState(
                f"{count} values of products are of the type {attribute.type.value}.", field=("type",)
            )
    attribute.type = type


async def _set_values(session: AsyncSession, attribute: Attribute, drafts: Sequence[ValueDraft]) -> None:
    wanted = _checked_values(attribute, drafts)
    rows = await session.scalars(select(AttributeValue).where(AttributeValue.attribute_id == attribute.id))
    known = {row.code: row for row in rows}
    for gone in known.keys() - wanted.keys():
        await _remove(session, known[gone])
    for position, draft in enumerate(wanted.values(), start=1):
        row = known.get(draft.code) or AttributeValue(attribute_id=attribute.id, code=draft.code)
        row.name = draft.name.strip()
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
    said = name.strip()
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
