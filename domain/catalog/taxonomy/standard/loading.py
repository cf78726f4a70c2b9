"""Loading an edition of the taxonomy as categories and attributes of the shop."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.lock import lock_catalogue
from domain.catalog.taxonomy.standard.edition import Taxonomy
from domain.catalog.taxonomy.standard.naming import choose_language
from domain.catalog.taxonomy.standard.tree import load_tree
from domain.catalog.taxonomy.standard.verification import verify_tree, verify_vocabulary
from domain.catalog.taxonomy.standard.vocabulary import load_attributes, load_values
from domain.catalog.taxonomy.standard.writing import Progress, WriteCount
from models import CategoryAttribute
from models.sql.batches import in_batches


@dataclass(frozen=True, slots=True)
class TaxonomyLoadResult:
    """What loading changed."""

    categories: WriteCount
    attributes: WriteCount
    values: WriteCount
    attached: int
    """How many attributes have been attached to categories."""
    moved: tuple[str, ...] = ()
    """Ids of categories that staff have moved below another parent than the edition's."""


async def load_taxonomy(
    session: AsyncSession,
    taxonomy: Taxonomy,
    *,
    language: str,
    progress: Progress = lambda more: None,
) -> TaxonomyLoadResult:
    """Create and update the shop's categories, attributes and values from an edition.

    Names follow the edition. Slugs, codes and places are set once and stay, also where staff have moved a
    category since; what the edition no longer has stays, too. In the end everything is read again:
    EditionMismatch when a count or a parent is not the edition's.

    language: the shop's own_language, whose names are stored in the rows themselves
    progress: called with how many more of `taxonomy.size` are done
    """
    await lock_catalogue(session)
    own_language = choose_language(taxonomy.languages, language)
    tree = await load_tree(session, taxonomy, own_language, progress)
    attributes = await load_attributes(session, taxonomy, own_language, progress)
    values = await load_values(session, taxonomy, own_language, attributes, progress)
    attached = await _attach_attributes(session, taxonomy, tree.ids, attributes.ids)
    moved = await verify_tree(session, taxonomy, tree.created)
    await verify_vocabulary(session, taxonomy)
    return TaxonomyLoadResult(tree.count, attributes.count, values.count, attached, moved)


async def _attach_attributes(
    session: AsyncSession, taxonomy: Taxonomy, categories: Mapping[str, int], attributes: Mapping[str, int]
) -> int:
    """Attach the edition's attributes to its categories, none of them as required; how many are new."""
    links = select(CategoryAttribute.category_id, CategoryAttribute.attribute_id)
    known = {(category_id, attribute_id) for category_id, attribute_id in await session.execute(links)}
    links_of_edition = [
        (categories[category.id], attributes[attribute_id])
        for category in taxonomy.categories
        for attribute_id in category.attribute_ids
    ]
    new = [pair for pair in links_of_edition if pair not in known]
    for batch in in_batches(new):
        await session.execute(
            insert(CategoryAttribute),
            [
                {"category_id": category_id, "attribute_id": attribute_id, "required": False}
                for category_id, attribute_id in batch
            ],
        )
    return len(new)
