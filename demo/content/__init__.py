"""The content of the demo shop: TOML files beside this one, read, checked and typed."""

from collections import Counter
from collections.abc import Iterable, Iterator

from demo.content.drafting import draft
from demo.content.files import ProductRow, option_words, rows, tables
from demo.content.kinds import (
    AddressContent,
    ArticleContent,
    AttributeContent,
    AttributeValueContent,
    CategoryContent,
    Content,
    CustomerContent,
    OfferContent,
    StaffContent,
    TicketContent,
    WarehouseContent,
)
from demo.content.rules import category_paths, check

__all__ = [
    "OPTION_WORDS",
    "AddressContent",
    "ArticleContent",
    "AttributeContent",
    "AttributeValueContent",
    "CategoryContent",
    "Content",
    "CustomerContent",
    "OfferContent",
    "StaffContent",
    "TicketContent",
    "WarehouseContent",
    "read_content",
]

OPTION_WORDS: dict[str, str] = option_words()
"""English for every Chinese name and value of an option in the products."""


def read_content() -> Content:
    """Everything, checked; ValueError that names what is wrong."""
    categories = rows(CategoryContent, _positioned(tables("categories.toml", "categories")))
    paths = category_paths(categories)
    products = rows(ProductRow, tables("products/*.toml", "products"))
    content = Content(
        categories=categories,
        attributes=rows(AttributeContent, tables("attributes.toml", "attributes")),
        warehouses=rows(WarehouseContent, tables("warehouses.toml", "warehouses")),
        products=tuple(draft(row, paths=paths) for row in products),
        articles=rows(ArticleContent, tables("articles/*.toml", "articles")),
        customers=rows(CustomerContent, tables("people.toml", "customers")),
        staff=rows(StaffContent, tables("people.toml", "staff")),
        offers=rows(OfferContent, tables("offers.toml", "offers")),
        tickets=rows(TicketContent, tables("tickets.toml", "tickets")),
    )
    check(content, option_words=OPTION_WORDS)
    return content


def _positioned(categories: Iterable[dict[str, object]]) -> Iterator[dict[str, object]]:
    """Each with its place among those of the same parent."""
    sisters: Counter[object] = Counter()
    for category in categories:
        parent = category.get("parent")
        sisters[parent] += 1
        yield category | {"position": sisters[parent]}
