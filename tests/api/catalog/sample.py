"""A small catalogue, and the queries of the tests."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.product import PriceDraft, ProductDraft, VariantDraft
from models import CurrencyCode, Money, ProductStatus, Variant
from tests.clients import Client

CNY, USD = CurrencyCode.CNY, CurrencyCode.USD

SLUGS = """
query (
  $query: String! = "", $filter: ProductFilter, $sort: ProductSort! = RELEVANCE
  $first: Int! = 20, $after: String
) {
  products(query: $query, filter: $filter, sort: $sort, first: $first, after: $after) {
    nodes { slug }
    pageInfo { hasNextPage endCursor }
  }
}
"""


def tea(slug: str, title: str, price: int, **given: Any) -> ProductDraft:
    """A product of one variant; price in fen, stock in pieces."""
    stock = given.pop("stock", 10)
    given.setdefault("category_path", ("Food", "Tea"))
    given.setdefault("brand", "Hill Farm")
    variant = VariantDraft(
        sku=slug.upper(),
        prices={CNY: PriceDraft(Money(price, CNY))} if price else {},
        stock={"": stock},
        weight_grams=100,
    )
    return ProductDraft(slug=slug, title=title, variants=(variant,), **given)


PRODUCTS = [
    tea("oolong", "高山乌龙茶", 5_000, attributes={"origin": ("fujian",), "organic": ("true",)},
        translations={"en": {"title": "Mountain oolong tea"}}),
    tea("green", "龙井绿茶", 8_000, attributes={"origin": ("zhejiang",)}, stock=0),
    tea("puer", "普洱茶", 3_000, attributes={"origin": ("yunnan",), "organic": ("true",)}, brand="Old Tree"),
    tea("jacket", "Rain jacket", 20_000, category_path=("Clothing",), brand="Loom",
        description="<p>For running in the rain</p>"),
    tea("jacket-blue", "Blue jackets", 15_000, category_path=("Clothing",), brand="Loom",
        attributes={"organic": ("false",)}),
    tea("hidden", "秘密茶", 1_000, status=ProductStatus.DRAFT),
    tea("gone", "过季茶", 1_000, status=ProductStatus.ARCHIVED),
]  # fmt: skip


async def variant_named(session: AsyncSession, sku: str) -> Variant:
    return (await session.scalars(select(Variant).where(Variant.sku == sku))).one()


async def slugs(client: Client, **variables: Any) -> list[str]:
    data = await client.get(SLUGS, **variables)
    return [node["slug"] for node in data["products"]["nodes"]]


async def refusal_of(client: Client, document: str, **variables: Any) -> tuple[str, str]:
    reply = await client.ask(document, **variables)
    (error,) = reply["errors"]
    return error["extensions"]["code"], error["message"]
