"""A list in an input in which nothing may stand twice."""

from collections.abc import Sequence

from domain.errors import Invalid

FieldPath = tuple[str | int, ...]
"""The path of a field inside an input."""


def require_unique(keys: Sequence[str], field: FieldPath, name: str) -> None:
    """Raises Invalid for a key that stands twice: one of the two entries would be lost.

    `field` is the path of the list, `name` the field of its entries that holds the key.
    """
    for index, key in enumerate(keys):
        if key in keys[:index]:
            raise Invalid('"{key}" is given twice.', key=key, field=(*field, index, name))
