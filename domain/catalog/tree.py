"""The tree of categories: places are made where a path names them, and moved with all that stands below."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select, union, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.batches import batches
from domain.catalog.interchange import NAME_LIMIT, SLUG_LIMIT
from domain.catalog.lock import alone
from domain.catalog.slugs import rename, slug_of, take_over
from domain.catalog.wording import index_subtree
from domain.errors import Invalid, NotFound, Taken
from domain.versions import expect
from domain.visible import visible
from models import Attribute, Category, CategoryAttribute, CategorySlug

DEPTH_LIMIT = 12
"""Levels of the tree; the largest public taxonomy has 8."""

POSITION_LIMIT = 1_000_000
DIGITS = 8
"""What is kept free of a slug for a hyphen and a number."""

Path = tuple[str, ...]
"""Names from the root down."""


@dataclass(frozen=True, slots=True)
class AttributeOfCategory:
    """An attribute that the products of a category have, or must have."""

    attribute_id: int
    required: bool = False


async def save_category(
    session: AsyncSession,
    *,
    category_id: int | None = None,
    name: str,
    slug: str | None = None,
    parent_id: int | None = None,
    stays: bool = False,
    position: int | None = None,
    translations: Mapping[str, Mapping[str, str]] | None = None,
    attributes: Sequence[AttributeOfCategory] | None = None,
    version: int | None = None,
) -> Category:
    """Make a category, or make one what it shall be; one with another parent takes all below it along.

    What is None stays as it is, except that no parent means the root, where it is not told that it `stays`.
    Conflict when the category is not at `version` any more. A slug it had before leads to it still.
    """
    await alone(session)
    if stays and category_id is not None:
        parent_id = await session.scalar(select(Category.parent_id).where(Category.id == category_id))
    parent = await _parent(session, parent_id, category_id, version)
    name = await _free_name(session, name, parent_id, category_id)
    if category_id is None:
        category = await _new_category(session, name, parent, slug=slug)
    else:
        category = await session.get_one(Category, category_id)
        await rename(
            session, category, await _free_slug(session, slug, category_id) if slug else category.slug
        )
    renamed = (category.name, category.parent_id) != (name, parent_id)
    category.name = name
    if translations is not None:
        renamed = renamed or category.translations != translations
        category.translations = {language: dict(texts) for language, texts in translations.items()}
    if position is not None:
        category.position = _position(position)
    if category.parent_id != parent_id:
        await _move(session, category, parent)
    if attributes is not None:
        await _set_attributes(session, category, attributes)
    category.version += 1
    await session.flush()
    if renamed and category_id is not None:
        await index_subtree(session, category)
    return category


async def path_of(session: AsyncSession, category_id: int, *, field: tuple[str | int, ...]) -> Path:
    """The names from the root down to a category."""
    category = await session.get(Category, category_id)
    if category is None:
        raise NotFound("category", field=field)
    line = select(Category).where(Category.id.in_(category.line))
    names = {row.id: row.name for row in await session.scalars(line)}
    return tuple(names[each] for each in category.line)


async def homes_of(session: AsyncSession, attribute_ids: Collection[int]) -> dict[int, dict[int, str]]:
    """The categories that say so themselves of each attribute, with their names."""
    homes: defaultdict[int, dict[int, str]] = defaultdict(dict)
    for batch in batches(sorted(attribute_ids)):
        for attribute_id, category_id, name in await session.execute(
            select(CategoryAttribute.attribute_id, Category.id, Category.name)
            .join(Category, Category.id == CategoryAttribute.category_id)
            .where(CategoryAttribute.attribute_id.in_(batch))
        ):
            homes[attribute_id][category_id] = name
    return homes


async def ensure_categories(session: AsyncSession, paths: Iterable[Path]) -> dict[Path, Category]:
    """The category at the end of each path; places the tree does not have yet are made."""
    wanted = list(dict.fromkeys(path for path in paths if path))
    names = {name for path in wanted for name in path}
    tree: dict[tuple[int | None, str], Category] = {}
    for batch in batches(sorted(names)):
        rows = await session.scalars(
            select(Category).where(Category.name.in_(batch)).order_by(Category.id.desc())
        )
        tree |= {(row.parent_id, row.name): row for row in rows}
    found: dict[Path, Category] = {}
    for path in wanted:
        place: Category | None = None
        for name in path:
            key = (place.id if place else None, name)
            if key not in tree:
                tree[key] = await _new_category(session, name, place)
            place = tree[key]
        if place is not None:
            found[path] = place
    return found


async def ensure_taxonomy(session: AsyncSession, ids: Collection[str]) -> dict[str, Category]:
    """Categories by their id in the standard taxonomy; one the shop has not loaded is called by its id."""
    rows = await session.scalars(select(Category).where(Category.taxonomy_id.in_(sorted(ids))))
    known = {row.taxonomy_id: row for row in rows if row.taxonomy_id}
    for missing in sorted(set(ids) - known.keys()):
        category = (await ensure_categories(session, [(missing,)]))[(missing,)]
        category.taxonomy_id = missing
        known[missing] = category
    return known


async def _parent(
    session: AsyncSession, parent_id: int | None, category_id: int | None, version: int | None
) -> Category | None:
    if category_id is not None:
        category = await session.get(Category, category_id, populate_existing=True)
        if category is None:
            raise NotFound("category", field=("id",))
        expect(category, version)
    if parent_id is None:
        return None
    parent = await session.get(Category, parent_id, populate_existing=True)
    if parent is None:
        raise NotFound("category", field=("parent_id",))
    if category_id in parent.line:
        raise Invalid("A category cannot stand below itself.", field=("parent_id",))
    return parent


async def _free_name(session: AsyncSession, name: str, parent_id: int | None, category_id: int | None) -> str:
    """Sisters have different names: a path of names leads to one place only."""
    said = visible(name)
    if not 1 <= len(said) <= NAME_LIMIT:
        raise Invalid(f"A name has 1 to {NAME_LIMIT} characters.", field=("name",))
    sister = await session.scalar(
        select(Category.id).where(Category.parent_id.is_not_distinct_from(parent_id), Category.name == said)
    )
    if sister not in (None, category_id):
        raise Taken(f'There is a category "{said}" in this place already.', field=("name",))
    return said


async def _new_category(
    session: AsyncSession, name: str, parent: Category | None, *, slug: str | None = None
) -> Category:
    depth = parent.depth + 1 if parent else 0
    if depth >= DEPTH_LIMIT:
        raise Invalid(f"Categories stand at most {DEPTH_LIMIT} levels deep.", field=("parent_id",))
    category = Category(
        parent_id=parent.id if parent else None,
        slug=await (_taken_slug(session, slug) if slug else _derived_slug(session, name, parent)),
        name=name,
        path="",
        depth=depth,
        position=await _next_position(session, parent),
        translations={},
    )
    session.add(category)
    await session.flush()
    category.path = f"{parent.path if parent else '/'}{category.id}/"
    return category


async def _free_slug(session: AsyncSession, slug: str, category_id: int | None = None) -> str:
    if slug != slug_of(slug):
        raise Invalid(
            f"A slug holds small letters, digits and single hyphens, at most {SLUG_LIMIT}.", field=("slug",)
        )
    owner = await session.scalar(select(Category.id).where(Category.slug == slug))
    if owner not in (None, category_id):
        raise Taken(f'Another category has the slug "{slug}" already.', field=("slug",))
    return slug


async def _taken_slug(session: AsyncSession, slug: str) -> str:
    """A slug for a new category, even if an older one was found there before."""
    free = await _free_slug(session, slug)
    await take_over(session, Category, free)
    return free


async def _derived_slug(session: AsyncSession, name: str, parent: Category | None) -> str:
    """The name's own slug, else with the parent's before it, else with a number behind it."""
    own = slug_of(name) or "category"
    below = (slug_of(f"{parent.slug} {name}") if parent else own)[: SLUG_LIMIT - DIGITS]
    like = union(
        *(
            select(column).where((column == own) | column.startswith(below, autoescape=True))
            for column in (Category.slug, CategorySlug.slug)
        )
    )
    taken = set(await session.scalars(like))
    numbered = (f"{below}-{number}" for number in range(2, len(taken) + 3))
    return next(slug for slug in (own, below, *numbered) if slug not in taken)


async def _next_position(session: AsyncSession, parent: Category | None) -> int:
    sisters = Category.parent_id.is_not_distinct_from(parent.id if parent else None)
    return (await session.scalar(select(func.max(Category.position)).where(sisters)) or 0) + 1


def _position(position: int) -> int:
    if not 0 <= position <= POSITION_LIMIT:
        raise Invalid(f"A position is between 0 and {POSITION_LIMIT:,}.", field=("position",))
    return position


async def _move(session: AsyncSession, category: Category, parent: Category | None) -> None:
    old, depth = category.path, category.depth
    deepest = await session.scalar(select(func.max(Category.depth)).where(Category.path.startswith(old)))
    new_depth = parent.depth + 1 if parent else 0
    if (deepest or depth) - depth + new_depth >= DEPTH_LIMIT:
        raise Invalid(f"Categories stand at most {DEPTH_LIMIT} levels deep.", field=("parent_id",))
    new = f"{parent.path if parent else '/'}{category.id}/"
    category.parent_id = parent.id if parent else None
    await session.flush()
    await session.execute(
        update(Category)
        .where(Category.path.startswith(old))
        .values(path=new + func.substr(Category.path, len(old) + 1), depth=Category.depth + new_depth - depth)
        .execution_options(synchronize_session=False)
    )
    await session.refresh(category)


async def _set_attributes(
    session: AsyncSession, category: Category, attributes: Sequence[AttributeOfCategory]
) -> None:
    wanted = {each.attribute_id: each.required for each in attributes}
    known = set(await session.scalars(select(Attribute.id).where(Attribute.id.in_(wanted))))
    for index, each in enumerate(attributes):
        if each.attribute_id not in known:
            raise NotFound("attribute", field=("attributes", index, "attribute_id"))
    await session.execute(delete(CategoryAttribute).where(CategoryAttribute.category_id == category.id))
    session.add_all(
        CategoryAttribute(category_id=category.id, attribute_id=attribute_id, required=required)
        for attribute_id, required in wanted.items()
    )
