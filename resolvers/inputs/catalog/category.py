"""Inputs that describe a category or an attribute."""

from collections.abc import Sequence

import strawberry

from domain.catalog.limits import LANGUAGE_LIMIT
from domain.catalog.taxonomy import AttributeDraft, CategoryAttributeDraft, CategoryDraft, ValueDraft
from domain.errors import LimitReached
from domain.language import canonical_tag
from models import AttributeType
from resolvers.descriptions import input_type
from resolvers.ids import row_id
from resolvers.inputs.unique import require_unique


@input_type
class NameTranslationInput:
    """A name in another language."""

    language: str
    """The language, as a tag: "en", "zh-CN"."""
    name: str
    """The name."""
    unit: str | None = None
    """The unit, for an attribute that has one."""


@input_type
class CategoryAttributeInput:
    """An attribute that the products of a category have."""

    attribute_id: strawberry.ID
    """The attribute."""
    required: bool = False
    """Whether a product is incomplete without it."""


@input_type
class AttributeValueInput:
    """A value that an ENUM attribute allows."""

    code: str
    """Its code in filters and product files."""
    name: str
    """The name people read."""
    translations: list[NameTranslationInput] = strawberry.field(default_factory=list)
    """Its name in other languages."""


@input_type
class CategorySaveInput:
    """What `categorySave` needs."""

    name: str
    """The name people read."""
    id: strawberry.ID | None = None
    """The category to change; without it a new one is added."""
    slug: str | None = None
    """Its part of the address; made from the name when left out; an old one still leads to it."""
    parent_id: strawberry.ID | None = strawberry.UNSET
    """The category it belongs to; null for a root; it stays where it is when left out."""
    position: int | None = None
    """Its place among the categories of the same parent; the last when left out."""
    translations: list[NameTranslationInput] | None = None
    """Its name in other languages, all of them."""
    attributes: list[CategoryAttributeInput] | None = None
    """The attributes of its products, all of them; the categories below inherit them."""
    version: int | None = None
    """The version you have read, needed with `id`; CONFLICT when somebody changed the category since."""

    def draft(self) -> CategoryDraft:
        """Raises NotFound, Invalid and LimitReached."""
        keeps_parent = self.parent_id is strawberry.UNSET
        is_root = keeps_parent or self.parent_id is None
        return CategoryDraft(
            name=self.name,
            slug=self.slug,
            parent_id=None if is_root else row_id(str(self.parent_id), "Category", field=("parent_id",)),
            keeps_parent=keeps_parent,
            position=self.position,
            translations=None if self.translations is None else name_translations(self.translations),
            attributes=None if self.attributes is None else attribute_drafts(self.attributes),
        )


@input_type
class AttributeSaveInput:
    """What `attributeSave` needs."""

    code: str
    """Its code in filters and product files."""
    name: str
    """The name people read."""
    type: AttributeType
    """The kind of value it takes."""
    id: strawberry.ID | None = None
    """The attribute to change; without it a new one is added."""
    unit: str | None = None
    """The unit of its numbers."""
    filterable: bool = False
    """Whether customers can filter products by it."""
    values: list[AttributeValueInput] | None = None
    """All the values an ENUM attribute allows, in order."""
    translations: list[NameTranslationInput] | None = None
    """Its name in other languages, all of them."""
    version: int | None = None
    """The version you have read, needed with `id`; CONFLICT when somebody changed the attribute since."""

    def draft(self) -> AttributeDraft:
        """Raises Invalid and LimitReached."""
        return AttributeDraft(
            code=self.code,
            name=self.name,
            type=self.type,
            unit=self.unit,
            filterable=self.filterable,
            values=[
                ValueDraft(each.code, each.name, name_translations(each.translations))
                for each in self.values or []
            ],
            translations=None if self.translations is None else name_translations(self.translations),
        )


def attribute_drafts(inputs: Sequence[CategoryAttributeInput]) -> list[CategoryAttributeDraft]:
    """Raises NotFound for unknown ids, Invalid for an attribute that stands twice."""
    drafts = [
        CategoryAttributeDraft(
            row_id(each.attribute_id, "Attribute", field=("attributes", index, "attribute_id")),
            each.required,
        )
        for index, each in enumerate(inputs)
    ]
    require_unique([str(each.attribute_id) for each in drafts], ("attributes",), "attribute_id")
    return drafts


def name_translations(inputs: Sequence[NameTranslationInput]) -> dict[str, dict[str, str]]:
    """Language tag -> field ("name", "unit") -> text. Raises LimitReached and Invalid."""
    if len(inputs) > LANGUAGE_LIMIT:
        raise LimitReached("At most {limit} languages.", limit=LANGUAGE_LIMIT, field=("translations",))
    require_unique([canonical_tag(each.language) for each in inputs], ("translations",), "language")
    return {
        canonical_tag(each.language): {"name": each.name} | ({"unit": each.unit} if each.unit else {})
        for each in inputs
    }
