"""Variants as they are sold: their price in one currency and their available units, selected in one place."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import BigInteger, FromClause, and_, select

from models.availability import total_available
from models.base import Translations
from models.catalog import SOLD_STATUSES, Category, Price, Product, ProductStatus, Variant
from models.money import Money
from models.sql.parameters import bound_table
from models.sql.types import AnyRow, AnySelect


@dataclass(frozen=True, slots=True)
class SellableVariant:
    """A variant with its price in one currency and its available units at the moment it was read."""

    variant: Variant
    title: str
    """Of its product, as are `translations`, `status`, `brand` and `category_path`."""
    translations: Translations
    status: ProductStatus
    brand: str
    category_path: str | None
    price: Money | None
    """For one unit; None where it has none in that currency."""
    available: int | None
    """Units that can be ordered; None where there is no limit."""
    in_stock: int
    """Available units that are there, whether or not more can be ordered."""

    @property
    def name(self) -> str:
        return f"{self.title} ({self.variant.name})" if self.variant.options else self.title

    @property
    def names_by_language(self) -> dict[str, str]:
        return names_of_variant(self.variant, self.title, self.translations)

    def count_backordered(self, quantity: int) -> int:
        """How many of `quantity` units would wait for stock."""
        return max(0, quantity - self.in_stock) if self.variant.is_backordered_when_out else 0

    @property
    def is_on_sale(self) -> bool:
        """Whether it is sold at all; without a price it is not sold in that currency."""
        return self.status in SOLD_STATUSES and self.variant.archived_at is None

    @property
    def unit_price(self) -> Money | None:
        """The price at which it is sold; None where it is not for sale."""
        return self.price if self.is_on_sale else None


def names_of_variant(variant: Variant, title: str, translations: Translations) -> dict[str, str]:
    """How it is called in each language that its product's title or one of its options is translated to."""
    spoken = {*translations, *(tag for option in variant.options for tag in option.get("translations", {}))}
    names = {}
    for tag in spoken:
        values = [
            option.get("translations", {}).get(tag, {}).get("value") or option["value"]
            for option in variant.options
        ]
        translated = translations.get(tag, {}).get("title") or title
        names[tag] = f"{translated} ({' / '.join(values)})" if values else translated
    return names


COLUMNS = (
    Variant,
    Product.title,
    Product.translations,
    Product.status,
    Product.brand,
    Category.path,
    Price.amount,
)


def bound_variants(dialect: str) -> FromClause:
    """A table of the rows bound as `requested`: each a `variant_id` and the `currency` of its price."""
    columns = {"variant_id": BigInteger(), "currency": Price.__table__.c.currency.type}
    return bound_table("requested", columns, dialect)


def select_sellable(requested: FromClause) -> AnySelect:
    """What `build_sellable` reads, for each row of `requested` with its `variant_id` and `currency`.

    Available units are not among its columns: callers add them as one number or by warehouse.
    """
    price = and_(Price.variant_id == Variant.id, Price.currency == requested.c.currency)
    return (
        select(requested.c.currency, *COLUMNS)
        .select_from(requested)
        .join(Variant, Variant.id == requested.c.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .outerjoin(Category, Category.id == Product.category_id)
        .outerjoin(Price, price)
        .execution_options(populate_existing=True)
    )


def build_sellable(row: AnyRow, units: Iterable[int]) -> SellableVariant:
    """From a row that begins with the columns of `select_sellable`; `units` as for `total_available`."""
    currency, variant, title, translations, status, brand, path, amount = row[: len(COLUMNS) + 1]
    price = None if amount is None else Money(amount, currency)
    counted = list(units)
    return SellableVariant(
        variant=variant,
        title=title,
        translations=translations,
        status=status,
        brand=brand,
        category_path=path,
        price=price,
        available=total_available(variant, counted),
        in_stock=sum(counted),
    )
