"""One edition of the standard taxonomy."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

MAIN_LANGUAGE = "en"
"""The language the others are compared with, and slugs are derived from."""

LocalizedNames = Mapping[str, str]
"""Language tag -> name."""


@dataclass(frozen=True, slots=True)
class TaxonomyCategory:
    """A category; its id tells its place in the tree: "aa-1-2" is below "aa-1"."""

    id: str
    names: LocalizedNames
    attribute_ids: tuple[str, ...] = ()
    """Its own attributes, without inherited ones."""

    @property
    def path_ids(self) -> tuple[str, ...]:
        """The ids from the root down to this one."""
        return ids_from_root(self.id)

    @property
    def parent_id(self) -> str | None:
        return parent_of(self.id)


@dataclass(frozen=True, slots=True)
class TaxonomyValue:
    id: str
    code: str
    names: LocalizedNames


@dataclass(frozen=True, slots=True)
class TaxonomyAttribute:
    """An attribute with the values it allows, in their order."""

    id: str
    code: str
    names: LocalizedNames
    values: tuple[TaxonomyValue, ...]


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """A whole edition; siblings are in their order."""

    version: str
    languages: tuple[str, ...]
    categories: tuple[TaxonomyCategory, ...]
    attributes: tuple[TaxonomyAttribute, ...]

    @property
    def size(self) -> int:
        """Categories, attributes and values together."""
        values = sum(len(attribute.values) for attribute in self.attributes)
        return len(self.categories) + len(self.attributes) + values


def parent_of(category_id: str) -> str | None:
    return category_id.rpartition("-")[0] or None


def ids_from_root(category_id: str) -> tuple[str, ...]:
    """The ids of the categories above this one, from the root down, and its own."""
    return tuple(accumulate(category_id.split("-"), "{}-{}".format))
