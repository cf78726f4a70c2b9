"""The attributes of an edition and their values."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Row, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.batches import batches
from domain.catalog.taxonomy.edition import Names, Taxonomy
from domain.catalog.taxonomy.naming import free_codes, worded
from domain.catalog.taxonomy.writing import Progress, Tally, Values, correct, make, outdate
from models import Attribute, AttributeType, AttributeValue

STANDARD: Values = {"type": AttributeType.ENUM, "filterable": True}
"""Editions know no other attributes than those that list their values."""


@dataclass(frozen=True, slots=True)
class LoadedAttributes:
    tally: Tally
    ids: Mapping[str, int]
    """By the id in the taxonomy."""
    retyped: frozenset[str]
    """Those a clerk has made something else of: they list no values."""


@dataclass(frozen=True, slots=True)
class LoadedValues:
    tally: Tally
    changed: tuple[int, ...]
    """Ids of values that are called differently now, or stand elsewhere among their sisters."""


async def load_attributes(
    session: AsyncSession, taxonomy: Taxonomy, own: str, progress: Progress
) -> LoadedAttributes:
    rows = (await session.execute(select(*Attribute.__table__.columns))).all()
    known = {row.taxonomy_id: row for row in rows if row.taxonomy_id}
    codes = free_codes(taxonomy.attributes, {row.code for row in rows})
    new: list[Values] = []
    changes: list[Values] = []
    changed: list[int] = []
    for attribute in taxonomy.attributes:
        row = known.get(attribute.id)
        words = _words(attribute.names, own, row)
        if row is None:
            new.append({"taxonomy_id": attribute.id, "code": codes[attribute.id], **STANDARD, **words})
        elif change := _change(row, words):
            changes.append(change)
            changed.append(row.id)
    made = await make(session, Attribute, new, progress)
    await correct(session, Attribute, changes)
    await outdate(session, Attribute, changed)
    standing = len(taxonomy.attributes) - len(new)
    progress(standing)
    gone = tuple(sorted(known.keys() - {attribute.id for attribute in taxonomy.attributes}))
    return LoadedAttributes(
        Tally(len(new), len(changes), standing - len(changes), gone),
        {key: row.id for key, row in known.items()} | made,
        frozenset(key for key, row in known.items() if row.type is not AttributeType.ENUM),
    )


async def load_values(
    session: AsyncSession, taxonomy: Taxonomy, own: str, attributes: LoadedAttributes, progress: Progress
) -> LoadedValues:
    known = await _known_values(session)
    new: list[Values] = []
    changes: dict[int, Values] = {}
    touched: set[int] = set()
    unchanged = 0
    for attribute in taxonomy.attributes:
        attribute_id = attributes.ids[attribute.id]
        for position, value in enumerate(attribute.values, start=1):
            row = known.get((attribute_id, value.code))
            wanted = {"position": position, **_words(value.names, own, row)}
            if attribute.id in attributes.retyped:
                continue
            if row is None:
                new.append({"attribute_id": attribute_id, "code": value.code, **wanted})
                touched.add(attribute_id)
            elif change := _change(row, wanted):
                changes[row.id] = change
                touched.add(attribute_id)
            else:
                unchanged += 1
    await correct(session, AttributeValue, list(changes.values()))
    for batch in batches(new):
        await session.execute(insert(AttributeValue), batch)
        progress(len(batch))
    await outdate(session, Attribute, touched)
    progress(sum(len(attribute.values) for attribute in taxonomy.attributes) - len(new))
    return LoadedValues(Tally(len(new), len(changes), unchanged), tuple(changes))


async def _known_values(session: AsyncSession) -> dict[tuple[int, str], Row[tuple[object, ...]]]:
    """The values of all standard attributes by attribute and code."""
    rows = await session.execute(
        select(*AttributeValue.__table__.columns)
        .join(Attribute, Attribute.id == AttributeValue.attribute_id)
        .where(Attribute.taxonomy_id.is_not(None))
    )
    return {(row.attribute_id, row.code): row for row in rows}


def _words(names: Names, own: str, row: Row[tuple[object, ...]] | None = None) -> Values:
    name, translations = worded(names, own, row.translations if row else {})
    return {"name": name, "translations": translations}


def _change(row: Row[tuple[object, ...]], wanted: Values) -> Values | None:
    """What to write into a row; None when it is as it shall be."""
    if all(getattr(row, column) == value for column, value in wanted.items()):
        return None
    return {"id": row.id, **wanted}
