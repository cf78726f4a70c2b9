"""The categories of an edition in the tree of the shop."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.taxonomy.edition import Names, Taxonomy, TaxonomyCategory
from domain.catalog.taxonomy.naming import free_slugs, told_apart, worded
from domain.catalog.taxonomy.places import Place, arrange
from domain.catalog.taxonomy.writing import Progress, Tally, Values, correct, make, outdate
from models import Category, CategorySlug, Translations

NOWHERE = Place(parent_id=None, path="", depth=0, position=0)
"""Where a new category stands until all have their ids, of which paths are made."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A category as it is in the shop, or as it shall be."""

    name: str
    translations: Translations
    place: Place

    @property
    def values(self) -> Values:
        return {"name": self.name, "translations": self.translations, **asdict(self.place)}

    def reads_like(self, other: "Standing") -> bool:
        """Whether its products are found by the same words."""
        mine = (self.name, self.translations, self.place.parent_id)
        return mine == (other.name, other.translations, other.place.parent_id)


@dataclass(frozen=True, slots=True)
class Tree:
    """All categories of the shop by id."""

    found: Mapping[int, Standing]
    slugs: frozenset[str]
    ids: Mapping[str, int]
    """By the id in the taxonomy."""
    unnamed: frozenset[int]
    """Made for an id before an edition said what it is."""


@dataclass(frozen=True, slots=True)
class LoadedTree:
    tally: Tally
    ids: Mapping[str, int]
    made: Mapping[str, int]
    """Those of them that are new."""
    renamed: frozenset[int]
    """Categories that were there and are called differently now, or stand elsewhere."""


async def load_tree(session: AsyncSession, taxonomy: Taxonomy, own: str, progress: Progress) -> LoadedTree:
    tree = await _read(session)
    names = told_apart(taxonomy.categories)
    new = [category for category in taxonomy.categories if category.id not in tree.ids]
    made = await make(session, Category, _new_rows(new, names, own, tree), progress)
    ids = {**tree.ids, **made}
    wanted = _wanted(tree, taxonomy, names, own, ids, newcomers=tree.unnamed | set(made.values()))
    changed = [id for id, standing in wanted.items() if standing != tree.found.get(id)]
    await correct(session, Category, [{"id": id, **wanted[id].values} for id in changed])
    await outdate(session, Category, tree.found.keys() & set(changed))
    progress(len(taxonomy.categories) - len(new))
    known = {ids[category.id] for category in taxonomy.categories} & tree.found.keys()
    updated = len(known.intersection(changed))
    gone = tuple(sorted(tree.ids.keys() - {category.id for category in taxonomy.categories}))
    return LoadedTree(
        Tally(len(new), updated, len(known) - updated, gone),
        ids,
        made,
        frozenset(id for id, found in tree.found.items() if not found.reads_like(wanted[id])),
    )


async def _read(session: AsyncSession) -> Tree:
    rows = (await session.execute(select(*Category.__table__.columns))).all()
    return Tree(
        {row.id: _standing(row) for row in rows},
        frozenset(row.slug for row in rows).union(await session.scalars(select(CategorySlug.slug))),
        {row.taxonomy_id: row.id for row in rows if row.taxonomy_id},
        frozenset(row.id for row in rows if row.taxonomy_id and row.name == row.taxonomy_id),
    )


def _standing(row: Row[tuple[object, ...]]) -> Standing:
    return Standing(row.name, row.translations, Place(row.parent_id, row.path, row.depth, row.position))


def _new_rows(new: list[TaxonomyCategory], names: Mapping[str, Names], own: str, tree: Tree) -> list[Values]:
    slugs = free_slugs(new, names, tree.slugs)
    return [
        {
            "taxonomy_id": category.id,
            "slug": slugs[category.id],
            **Standing(*worded(names[category.id], own, {}), NOWHERE).values,
        }
        for category in new
    ]


def _wanted(
    tree: Tree,
    taxonomy: Taxonomy,
    names: Mapping[str, Names],
    own: str,
    ids: Mapping[str, int],
    *,
    newcomers: frozenset[int],
) -> dict[int, Standing]:
    """How every category of the shop shall be; those that no edition knows are only moved along."""
    edition = {
        ids[category.id]: ids[category.parent_id] if category.parent_id else None
        for category in taxonomy.categories
    }
    standing = {id: found.place for id, found in tree.found.items()}
    places = arrange(standing, edition, newcomers & edition.keys())
    words = {id: (found.name, found.translations) for id, found in tree.found.items()}
    for category in taxonomy.categories:
        id = ids[category.id]
        words[id] = worded(names[category.id], own, words[id][1] if id in words else {})
    return {id: Standing(*words[id], place) for id, place in places.items()}
