"""An edition becomes categories and attributes of the shop; what is there already is only corrected."""

from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.batches import batches
from domain.catalog.lock import alone
from domain.catalog.taxonomy.edition import Taxonomy
from domain.catalog.taxonomy.naming import own_language
from domain.catalog.taxonomy.proving import prove_tree, prove_vocabulary
from domain.catalog.taxonomy.tree import load_tree
from domain.catalog.taxonomy.vocabulary import load_attributes, load_values
from domain.catalog.taxonomy.writing import Progress, Tally
from domain.catalog.wording import index_products
from models import Category, CategoryAttribute, Product, ProductAttribute


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was done to each kind of thing."""

    categories: Tally
    attributes: Tally
    values: Tally
    attached: int
    """Attributes that categories have now and did not have before."""
    elsewhere: tuple[str, ...] = ()
    """Categories that a clerk keeps in another place than the edition."""


async def load_taxonomy(
    session: AsyncSession,
    taxonomy: Taxonomy,
    *,
    language: str,
    progress: Progress = lambda more: None,
) -> Loaded:
    """Make the shop's categories and attributes what the edition says.

    Names follow the edition. Slugs, codes and places are given once and stay, wherever a clerk has moved a
    category since; what the edition has no longer stays, too. In the end everything is read again: a count
    or a parent that is not the edition's refuses the whole.

    language: the shop's own, whose names stand in the rows themselves
    progress: hears how many more of `taxonomy.size` are done
    """
    await alone(session)
    own = own_language(taxonomy.languages, language)
    tree = await load_tree(session, taxonomy, own, progress)
    attributes = await load_attributes(session, taxonomy, own, progress)
    values = await load_values(session, taxonomy, own, attributes, progress)
    attached = await _attach(session, taxonomy, tree.ids, attributes.ids)
    await _index(session, tree.renamed, values.changed)
    elsewhere = await prove_tree(session, taxonomy, tree.made)
    await prove_vocabulary(session, taxonomy)
    return Loaded(tree.tally, attributes.tally, values.tally, attached, elsewhere)


async def _attach(
    session: AsyncSession, taxonomy: Taxonomy, categories: Mapping[str, int], attributes: Mapping[str, int]
) -> int:
    """Categories get the attributes the edition gives them; none loses one, or is asked for more."""
    links = select(CategoryAttribute.category_id, CategoryAttribute.attribute_id)
    known = {(category_id, attribute_id) for category_id, attribute_id in await session.execute(links)}
    wanted = [
        (categories[category.id], attributes[attribute_id])
        for category in taxonomy.categories
        for attribute_id in category.attribute_ids
    ]
    new = [pair for pair in wanted if pair not in known]
    for batch in batches(new):
        await session.execute(
            insert(CategoryAttribute),
            [
                {"category_id": category_id, "attribute_id": attribute_id, "required": False}
                for category_id, attribute_id in batch
            ],
        )
    return len(new)


async def _index(session: AsyncSession, categories: Set[int], values: Collection[int]) -> None:
    """Products are found by the names of their categories and values."""
    ids: set[int] = set()
    if categories:
        places = select(Product.id, Category.path).join(Category, Category.id == Product.category_id)
        for product_id, path in await session.execute(places):
            if not categories.isdisjoint(map(int, path.strip("/").split("/"))):
                ids.add(product_id)
    for batch in batches(values):
        ids |= set(
            await session.scalars(
                select(ProductAttribute.product_id).where(ProductAttribute.value_id.in_(batch))
            )
        )
    if ids:
        await index_products(session, ids)
