"""Loading the categories of an edition into the tree of the shop."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.taxonomy.standard.edition import LocalizedNames, Taxonomy, TaxonomyCategory
from domain.catalog.taxonomy.standard.naming import distinct_names, free_slugs, localize_name
from domain.catalog.taxonomy.standard.places import CategoryPlace, place_categories
from domain.catalog.taxonomy.standard.writing import (
    ColumnValues,
    Progress,
    WriteCount,
    insert_rows,
    raise_versions,
    update_rows,
)
from models import Category, CategorySlug, Translations

NOWHERE = CategoryPlace(parent_id=None, path="", depth=0, position=0)
"""The place of a new category until all have their ids, which paths are made of."""


@dataclass(frozen=True, slots=True)
class CategoryState:
    """The columns of a category that loading may change."""

    name: str
    translations: Translations
    place: CategoryPlace

    @property
    def values(self) -> ColumnValues:
        return {"name": self.name, "translations": self.translations, **asdict(self.place)}

    def is_indexed_like(self, other: "CategoryState") -> bool:
        """Whether its products are found by the same terms."""
        mine = (self.name, self.translations, self.place.parent_id)
        return mine == (other.name, other.translations, other.place.parent_id)


@dataclass(frozen=True, slots=True)
class CategoryTree:
    """All categories of the shop by id."""

    states: Mapping[int, CategoryState]
    slugs: frozenset[str]
    ids: Mapping[str, int]
    """By the id in the taxonomy."""
    unnamed: frozenset[int]
    """Created by an import that knew only their taxonomy id, which is their name."""


@dataclass(frozen=True, slots=True)
class LoadedTree:
    count: WriteCount
    ids: Mapping[str, int]
    created: Mapping[str, int]
    """Those of `ids` that are new."""
    renamed: frozenset[int]
    """Ids of categories that existed and now have another name or parent."""


async def load_tree(
    session: AsyncSession, taxonomy: Taxonomy, own_language: str, progress: Progress
) -> LoadedTree:
    """Create and update the categories of an edition; the caller has locked the catalogue."""
    tree = await _select_tree(session)
    names = distinct_names(taxonomy.categories)
    new = [category for category in taxonomy.categories if category.id not in tree.ids]
    created = await insert_rows(session, Category, _new_rows(new, names, own_language, tree), progress)
    ids = {**tree.ids, **created}
    targets = _target_states(
        tree, taxonomy, names, own_language, ids, new=tree.unnamed | set(created.values())
    )
    changed = [id for id, target in targets.items() if target != tree.states.get(id)]
    await update_rows(session, Category, [{"id": id, **targets[id].values} for id in changed])
    await raise_versions(session, Category, tree.states.keys() & set(changed))
    progress(len(taxonomy.categories) - len(new))
    known = {ids[category.id] for category in taxonomy.categories} & tree.states.keys()
    updated = len(known.intersection(changed))
    obsolete = tuple(sorted(tree.ids.keys() - {category.id for category in taxonomy.categories}))
    return LoadedTree(
        WriteCount(len(new), updated, len(known) - updated, obsolete),
        ids,
        created,
        frozenset(id for id, state in tree.states.items() if not state.is_indexed_like(targets[id])),
    )


async def _select_tree(session: AsyncSession) -> CategoryTree:
    rows = (await session.execute(select(*Category.__table__.columns))).all()
    return CategoryTree(
        {row.id: _state_of(row) for row in rows},
        frozenset(row.slug for row in rows).union(await session.scalars(select(CategorySlug.slug))),
        {row.taxonomy_id: row.id for row in rows if row.taxonomy_id},
        frozenset(row.id for row in rows if row.taxonomy_id and row.name == row.taxonomy_id),
    )


def _state_of(row: Row[tuple[object, ...]]) -> CategoryState:
    return CategoryState(
        row.name, row.translations, CategoryPlace(row.parent_id, row.path, row.depth, row.position)
    )


def _new_rows(
    new: list[TaxonomyCategory], names: Mapping[str, LocalizedNames], own_language: str, tree: CategoryTree
) -> list[ColumnValues]:
    slugs = free_slugs(new, names, tree.slugs)
    return [
        {
            "taxonomy_id": category.id,
            "slug": slugs[category.id],
            **CategoryState(*localize_name(names[category.id], own_language, {}), NOWHERE).values,
        }
        for category in new
    ]


def _target_states(
    tree: CategoryTree,
    taxonomy: Taxonomy,
    names: Mapping[str, LocalizedNames],
    own_language: str,
    ids: Mapping[str, int],
    *,
    new: frozenset[int],
) -> dict[int, CategoryState]:
    """The state every category of the shop gets; those the edition does not have only get another place."""
    edition = {
        ids[category.id]: ids[category.parent_id] if category.parent_id else None
        for category in taxonomy.categories
    }
    current = {id: state.place for id, state in tree.states.items()}
    places = place_categories(current, edition, new & edition.keys())
    texts = {id: (state.name, state.translations) for id, state in tree.states.items()}
    for category in taxonomy.categories:
        id = ids[category.id]
        texts[id] = localize_name(names[category.id], own_language, texts[id][1] if id in texts else {})
    return {id: CategoryState(*texts[id], place) for id, place in places.items()}
