"""One edition of the standard taxonomy."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

MAIN = "en"
"""The language that every other one is aligned with, and slugs are made from."""

Names = Mapping[str, str]
"""Language tag -> name."""


@dataclass(frozen=True, slots=True)
class TaxonomyCategory:
    """A place in the tree; its id says where: "aa-1-2" stands below "aa-1"."""

    id: str
    names: Names
    attribute_ids: tuple[str, ...] = ()
    """Attributes it has beside those of the categories above it."""

    @property
    def line(self) -> tuple[str, ...]:
        """The ids from the root down to this one."""
        return line_of(self.id)

    @property
    def parent_id(self) -> str | None:
        return parent_of(self.id)


@dataclass(frozen=True, slots=True)
class TaxonomyValue:
    id: str
    code: str
    names: Names


@dataclass(frozen=True, slots=True)
class TaxonomyAttribute:
    """A property with the values it may have, in their order."""

    id: str
    code: str
    names: Names
    values: tuple[TaxonomyValue, ...]


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """A whole edition; sisters stand in their order."""

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


def line_of(category_id: str) -> tuple[str, ...]:
    return tuple(accumulate(category_id.split("-"), "{}-{}".format))
