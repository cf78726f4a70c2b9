"""The tree of categories."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select, union, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.limits import NAME_LIMIT, SLUG_LIMIT
from domain.catalog.lock import lock_catalogue
from domain.catalog.slugs import change_slug, release_former_slug, slug_of
from domain.errors import Invalid, NotFound, Taken, WrongState, collect_refusals
from domain.versions import check_version
from domain.visible_text import visible_text
from models import CATEGORY_DEPTH_LIMIT, Attribute, Category, CategoryAttribute, CategorySlug
from models.sql.batches import in_batches

POSITION_LIMIT = 1_000_000
SUFFIX_LENGTH = 8
"""Characters of a derived slug left for a hyphen and a number."""

Path = tuple[str, ...]
"""Names from the root down."""


@dataclass(frozen=True, slots=True)
class CategoryAttributeDraft:
    """An attribute that the products of a category have, or must have."""

    attribute_id: int
    required: bool = False


@dataclass(frozen=True, slots=True)
class CategoryDraft:
    """A whole category; what is None stays as it is, but for the parent."""

    name: str
    slug: str | None = None
    """None for a new category: derived from its name."""
    parent_id: int | None = None
    """None for a root."""
    keeps_parent: bool = False
    """Whether an existing category stays where it is, whatever `parent_id` says."""
    position: int | None = None
    translations: Mapping[str, Mapping[str, str]] | None = None
    attributes: Sequence[CategoryAttributeDraft] | None = None


async def save_category(
    session: AsyncSession,
    draft: CategoryDraft,
    *,
    category_id: int | None = None,
    version: int | None = None,
) -> Category:
    """Create a category, or make one equal to the draft; with another parent it takes its subtree along.

    Conflict when the category is not at `version` any more. Its former slug leads to it still.
    """
    await lock_catalogue(session)
    parent_id = draft.parent_id
    if draft.keeps_parent and category_id is not None:
        parent_id = await session.scalar(select(Category.parent_id).where(Category.id == category_id))
    parent, name = await _check_draft(session, draft, parent_id, category_id, version)
    category = await _find_category(session, draft, name, parent, category_id)
    category.name = name
    if draft.translations is not None:
        category.translations = {language: dict(texts) for language, texts in draft.translations.items()}
    if draft.position is not None:
        category.position = draft.position
    if category.parent_id != parent_id:
        await _move_subtree(session, category, parent)
    if draft.attributes is not None:
        await _set_attributes(session, category, draft.attributes)
    category.version += 1
    await session.flush()
    return category


async def _check_draft(
    session: AsyncSession,
    draft: CategoryDraft,
    parent_id: int | None,
    category_id: int | None,
    version: int | None,
) -> tuple[Category | None, str]:
    """The parent and the visible name of a draft; refused with all that is wrong in it."""
    category = await _find_at_version(session, category_id, version)
    parent, name = None, ""
    with collect_refusals() as check:
        with check:
            name = await _require_free_name(session, draft.name, parent_id, category_id)
        if draft.slug:
            with check:
                await _require_free_slug(session, draft.slug, category_id)
        with check:
            parent = await _find_parent(session, parent_id, category)
        if draft.position is not None:
            with check:
                _validate_position(draft.position)
        if draft.attributes is not None:
            with check:
                await _check_attributes(session, draft.attributes, category_id)
    return parent, name


async def _find_category(
    session: AsyncSession, draft: CategoryDraft, name: str, parent: Category | None, category_id: int | None
) -> Category:
    """The category of this id with the slug of the draft, or a new one."""
    if category_id is None:
        return await _create_category(session, name, parent, slug=draft.slug)
    category = await session.get_one(Category, category_id)
    if draft.slug:
        await change_slug(session, category, await _require_free_slug(session, draft.slug, category_id))
    return category


async def path_of(session: AsyncSession, category_id: int, *, field: tuple[str | int, ...]) -> Path:
    """The names from the root down to a category."""
    category = await session.get(Category, category_id)
    if category is None:
        raise NotFound("category", field=field)
    statement = select(Category).where(Category.id.in_(category.path_ids))
    names = {row.id: row.name for row in await session.scalars(statement)}
    return tuple(names[each] for each in category.path_ids)


async def refuse_archived_category(
    session: AsyncSession, category_id: int, *, field: tuple[str | int, ...]
) -> None:
    """Raise WrongState for a category that is offered no more."""
    category = await session.get(Category, category_id)
    if category and category.archived_at is not None:
        raise WrongState("This category is archived; restore it first.", field=field)


async def attribute_categories(
    session: AsyncSession, attribute_ids: Collection[int]
) -> dict[int, dict[int, str]]:
    """The categories each attribute is attached to, without those that inherit it: their names by id."""
    found: defaultdict[int, dict[int, str]] = defaultdict(dict)
    for batch in in_batches(sorted(attribute_ids)):
        for attribute_id, category_id, name in await session.execute(
            select(CategoryAttribute.attribute_id, Category.id, Category.name)
            .join(Category, Category.id == CategoryAttribute.category_id)
            .where(CategoryAttribute.attribute_id.in_(batch))
        ):
            found[attribute_id][category_id] = name
    return found


async def ensure_categories(session: AsyncSession, paths: Iterable[Path]) -> dict[Path, Category]:
    """The category at the end of each path; missing ones are created."""
    distinct = list(dict.fromkeys(path for path in paths if path))
    names = {name for path in distinct for name in path}
    tree: dict[tuple[int | None, str], Category] = {}
    for batch in in_batches(sorted(names)):
        rows = await session.scalars(
            select(Category).where(Category.name.in_(batch)).order_by(Category.id.desc())
        )
        tree |= {(row.parent_id, row.name): row for row in rows}
    found: dict[Path, Category] = {}
    for path in distinct:
        category: Category | None = None
        for name in path:
            key = (category.id if category else None, name)
            if key not in tree:
                tree[key] = await _create_category(session, name, category)
            category = tree[key]
        if category is not None:
            found[path] = category
    return found


async def ensure_taxonomy_categories(session: AsyncSession, ids: Collection[str]) -> dict[str, Category]:
    """Categories by their id in the standard taxonomy; missing ones are created with the id as their name."""
    rows = await session.scalars(select(Category).where(Category.taxonomy_id.in_(sorted(ids))))
    known = {row.taxonomy_id: row for row in rows if row.taxonomy_id}
    for missing in sorted(set(ids) - known.keys()):
        category = (await ensure_categories(session, [(missing,)]))[(missing,)]
        category.taxonomy_id = missing
        known[missing] = category
    return known


async def _find_at_version(
    session: AsyncSession, category_id: int | None, version: int | None
) -> Category | None:
    """The category to be changed; None where one is created."""
    if category_id is None:
        return None
    category = await session.get(Category, category_id, populate_existing=True)
    if category is None:
        raise NotFound("category", field=("id",))
    check_version(category, version)
    return category


async def _find_parent(
    session: AsyncSession, parent_id: int | None, category: Category | None
) -> Category | None:
    if parent_id is None:
        return None
    parent = await session.get(Category, parent_id, populate_existing=True)
    if parent is None:
        raise NotFound("category", field=("parent_id",))
    if parent.archived_at is not None and parent_id != (category.parent_id if category else None):
        raise WrongState("This category is archived; restore it first.", field=("parent_id",))
    if category is not None and category.id in parent.path_ids:
        raise Invalid("A category cannot stand below itself.", field=("parent_id",))
    return parent


async def _require_free_name(
    session: AsyncSession, name: str, parent_id: int | None, category_id: int | None
) -> str:
    """The visible name; Taken when a sibling has it, so that a path of names leads to one category."""
    shown = visible_text(name)
    if not 1 <= len(shown) <= NAME_LIMIT:
        raise Invalid("A name has 1 to {limit} characters.", limit=NAME_LIMIT, field=("name",))
    sibling = await session.scalar(
        select(Category.id).where(Category.parent_id.is_not_distinct_from(parent_id), Category.name == shown)
    )
    if sibling not in (None, category_id):
        raise Taken('There is a category "{shown}" in this place already.', shown=shown, field=("name",))
    return shown


async def _create_category(
    session: AsyncSession, name: str, parent: Category | None, *, slug: str | None = None
) -> Category:
    depth = parent.depth + 1 if parent else 0
    if depth >= CATEGORY_DEPTH_LIMIT:
        raise Invalid(
            "Categories stand at most {limit} levels deep.", limit=CATEGORY_DEPTH_LIMIT, field=("parent_id",)
        )
    category = Category(
        parent_id=parent.id if parent else None,
        slug=await (_claim_slug(session, slug) if slug else _derive_slug(session, name, parent)),
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


async def _require_free_slug(session: AsyncSession, slug: str, category_id: int | None = None) -> str:
    if slug != slug_of(slug):
        raise Invalid(
            "A slug holds small letters, digits and single hyphens, at most {limit}.",
            limit=SLUG_LIMIT,
            field=("slug",),
        )
    owner = await session.scalar(select(Category.id).where(Category.slug == slug))
    if owner not in (None, category_id):
        raise Taken('Another category has the slug "{slug}" already.', slug=slug, field=("slug",))
    return slug


async def _claim_slug(session: AsyncSession, slug: str) -> str:
    """A slug for a new category, taken from one that had it before."""
    free = await _require_free_slug(session, slug)
    await release_former_slug(session, Category, free)
    return free


async def _derive_slug(session: AsyncSession, name: str, parent: Category | None) -> str:
    """The slug of the name, else with the parent's before it, else with a number behind it."""
    own = slug_of(name) or "category"
    below = (slug_of(f"{parent.slug} {name}") if parent else own)[: SLUG_LIMIT - SUFFIX_LENGTH]
    similar = union(
        *(
            select(column).where((column == own) | column.startswith(below, autoescape=True))
            for column in (Category.slug, CategorySlug.slug)
        )
    )
    taken = set(await session.scalars(similar))
    numbered = (f"{below}-{number}" for number in range(2, len(taken) + 3))
    return next(slug for slug in (own, below, *numbered) if slug not in taken)


async def _next_position(session: AsyncSession, parent: Category | None) -> int:
    siblings = Category.parent_id.is_not_distinct_from(parent.id if parent else None)
    return (await session.scalar(select(func.max(Category.position)).where(siblings)) or 0) + 1


def _validate_position(position: int) -> None:
    if not 0 <= position <= POSITION_LIMIT:
        raise Invalid("A position is between 0 and {limit}.", limit=POSITION_LIMIT, field=("position",))


async def _move_subtree(session: AsyncSession, category: Category, parent: Category | None) -> None:
    """Move a category below another parent with its subtree; Invalid when the tree would get too deep."""
    old, depth = category.path, category.depth
    deepest = await session.scalar(select(func.max(Category.depth)).where(Category.path.startswith(old)))
    new_depth = parent.depth + 1 if parent else 0
    if (deepest or depth) - depth + new_depth >= CATEGORY_DEPTH_LIMIT:
        raise Invalid(
            "Categories stand at most {limit} levels deep.", limit=CATEGORY_DEPTH_LIMIT, field=("parent_id",)
        )
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


async def _check_attributes(
    session: AsyncSession, attributes: Sequence[CategoryAttributeDraft], category_id: int | None
) -> None:
    """Refuse attributes that the shop does not have, and archived ones that the category had not before."""
    ids = {each.attribute_id for each in attributes}
    own = select(CategoryAttribute.attribute_id).where(CategoryAttribute.category_id == category_id)
    known = set(
        await session.scalars(
            select(Attribute.id).where(
                Attribute.id.in_(ids), Attribute.archived_at.is_(None) | Attribute.id.in_(own)
            )
        )
    )
    with collect_refusals() as check:
        for index, each in enumerate(attributes):
            if each.attribute_id not in known:
                check.add(NotFound("attribute", field=("attributes", index, "attribute_id")))


async def _set_attributes(
    session: AsyncSession, category: Category, attributes: Sequence[CategoryAttributeDraft]
) -> None:
    required = {each.attribute_id: each.required for each in attributes}
    await session.execute(delete(CategoryAttribute).where(CategoryAttribute.category_id == category.id))
    session.add_all(
        CategoryAttribute(category_id=category.id, attribute_id=attribute_id, required=must)
        for attribute_id, must in required.items()
    )
