"""Loading the attributes of an edition and their values."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Row, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.taxonomy.standard.edition import LocalizedNames, Taxonomy
from domain.catalog.taxonomy.standard.naming import free_codes, localize_name
from domain.catalog.taxonomy.standard.writing import (
    ColumnValues,
    Progress,
    WriteCount,
    insert_rows,
    raise_versions,
    update_rows,
)
from models import Attribute, AttributeType, AttributeValue
from models.sql.batches import in_batches

STANDARD: ColumnValues = {"type": AttributeType.ENUM, "filterable": True}
"""All attributes of editions list their values."""


@dataclass(frozen=True, slots=True)
class LoadedAttributes:
    count: WriteCount
    ids: Mapping[str, int]
    """By the id in the taxonomy."""
    retyped: frozenset[str]
    """Those that staff have given another type: they list no values."""


@dataclass(frozen=True, slots=True)
class LoadedValues:
    count: WriteCount
    changed: tuple[int, ...]
    """Ids of values that have another name or position now."""


async def load_attributes(
    session: AsyncSession, taxonomy: Taxonomy, own_language: str, progress: Progress
) -> LoadedAttributes:
    rows = (await session.execute(select(*Attribute.__table__.columns))).all()
    known = {row.taxonomy_id: row for row in rows if row.taxonomy_id}
    codes = free_codes(taxonomy.attributes, {row.code for row in rows})
    new: list[ColumnValues] = []
    changes: list[ColumnValues] = []
    changed: list[int] = []
    for attribute in taxonomy.attributes:
        row = known.get(attribute.id)
        columns = _name_columns(attribute.names, own_language, row)
        if row is None:
            new.append({"taxonomy_id": attribute.id, "code": codes[attribute.id], **STANDARD, **columns})
        elif change := _changed_columns(row, columns):
            changes.append(change)
            changed.append(row.id)
    created = await insert_rows(session, Attribute, new, progress)
    await update_rows(session, Attribute, changes)
    await raise_versions(session, Attribute, changed)
    existing = len(taxonomy.attributes) - len(new)
    progress(existing)
    obsolete = tuple(sorted(known.keys() - {attribute.id for attribute in taxonomy.attributes}))
    return LoadedAttributes(
        WriteCount(len(new), len(changes), existing - len(changes), obsolete),
        {key: row.id for key, row in known.items()} | created,
        frozenset(key for key, row in known.items() if row.type is not AttributeType.ENUM),
    )


async def load_values(
    session: AsyncSession,
    taxonomy: Taxonomy,
    own_language: str,
    attributes: LoadedAttributes,
    progress: Progress,
) -> LoadedValues:
    known = await _select_values(session)
    new: list[ColumnValues] = []
    changes: dict[int, ColumnValues] = {}
    touched: set[int] = set()
    unchanged = 0
    for attribute in taxonomy.attributes:
        attribute_id = attributes.ids[attribute.id]
        for position, value in enumerate(attribute.values, start=1):
            row = known.get((attribute_id, value.code))
            target = {"position": position, **_name_columns(value.names, own_language, row)}
            if attribute.id in attributes.retyped:
                continue
            if row is None:
                new.append({"attribute_id": attribute_id, "code": value.code, **target})
                touched.add(attribute_id)
            elif change := _changed_columns(row, target):
                changes[row.id] = change
                touched.add(attribute_id)
            else:
                unchanged += 1
    await update_rows(session, AttributeValue, list(changes.values()))
    for batch in in_batches(new):
        await session.execute(insert(AttributeValue), batch)
        progress(len(batch))
    await raise_versions(session, Attribute, touched)
    progress(sum(len(attribute.values) for attribute in taxonomy.attributes) - len(new))
    return LoadedValues(WriteCount(len(new), len(changes), unchanged), tuple(changes))


async def _select_values(session: AsyncSession) -> dict[tuple[int, str], Row[tuple[object, ...]]]:
    """The values of all standard attributes by attribute and code."""
    rows = await session.execute(
        select(*AttributeValue.__table__.columns)
        .join(Attribute, Attribute.id == AttributeValue.attribute_id)
        .where(Attribute.taxonomy_id.is_not(None))
    )
    return {(row.attribute_id, row.code): row for row in rows}


def _name_columns(
    names: LocalizedNames, own_language: str, row: Row[tuple[object, ...]] | None = None
) -> ColumnValues:
    name, translations = localize_name(names, own_language, row.translations if row else {})
    return {"name": name, "translations": translations}


def _changed_columns(row: Row[tuple[object, ...]], target: ColumnValues) -> ColumnValues | None:
    """The columns to update in a row; None when it has these values."""
    if all(getattr(row, column) == value for column, value in target.items()):
        return None
    return {"id": row.id, **target}
