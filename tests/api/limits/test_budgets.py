"""The documents of README, GraphiQL and clients, and a whole page, are far below the limits of a guest."""

import re
from collections.abc import Iterator

import pytest

from demo.graphiql import EXAMPLES as DEMO_EXAMPLES
from edge.graphiql import EXAMPLES as USUAL_EXAMPLES
from edge.operations.documents import read_operations
from schema import schema
from settings import Settings
from tests.clients import Clients
from tests.process import ROOT

SHARE = 10
"""How many times the dearest document of ours fits into a guest's bucket."""
MARGIN = 3
"""How many times as much one operation of a guest may cost."""

PAGE_SIZE = 24
"""Rows that a page shows where its client chooses."""

DOCUMENT = re.compile(r"""\bask\b[^'"\n]*(?:"[^"{]*"[^'"\n]*)*(?:'([^']*)'|"((?:[^"\\]|\\.)*)")""")
"""What the README passes to `cartwheel ask`, in single or double quotes of the shell."""
EXAMPLES = sorted([*USUAL_EXAMPLES.glob("*.graphql"), *DEMO_EXAMPLES.glob("*.graphql")])
SHELL = {"$ITEMS": "lines: []", "$DELIVERIES": "deliveries: []", "$CHANGES": "changes: {}"}

STOREFRONT = """
query Storefront($first: Int!) {
  viewer { role language currency account { id name } }
  cart { lines { quantity } totals { total { amount currencyCode } } }
  categories { id slug name children { id slug name } }
  newest: products(first: 6, sort: NEWEST) { nodes { ...Tile } }
  bestSelling: products(first: 6, sort: BEST_SELLING) { nodes { ...Tile } }
  listing: products(query: "tea", first: $first) {
    totalCount
    pageInfo { hasNextPage endCursor }
    nodes { ...Tile }
    facets {
      brands { brand count }
      categories { category { slug name } count }
      price { min { amount } max { amount } }
    }
  }
  product(slug: "tea") {
    ...Tile
    description
    variants {
      id sku options { name value } price { amount currencyCode } compareAtPrice { amount }
      availability { inStock level } flashSale { price { amount } endsAt }
    }
    attributes { attribute { name } text }
    category { name ancestors { slug name } }
  }
  articles(first: 4) { nodes { slug title } }
}
fragment Tile on Product {
  id slug title brand
  media { url alt }
  priceRange { min { amount currencyCode } max { amount } }
  availability { inStock }
}
"""
"""A page with everything a storefront shows."""


def read_tour() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8").split("## Five minutes")[1].split("\n## ")[0]


def readme_documents() -> Iterator[str]:
    for single, double in DOCUMENT.findall(read_tour()):
        text = single or double.replace('\\"', '"')
        yield re.sub(r"\$[A-Z_0-9]+", lambda name: SHELL.get(name[0], "1"), text)


def own_documents() -> Iterator[tuple[str, str]]:
    for number, text in enumerate(readme_documents()):
        yield f"README {number}", text
    for file in EXAMPLES:
        yield f"GraphiQL {file.parent} {file.stem}", file.read_text(encoding="utf-8")
    for folder in sorted(path for path in (ROOT / "clients").iterdir() if any(path.glob("*.graphql"))):
        for operation in read_operations(folder):
            yield operation.name, operation.text
    yield "storefront", STOREFRONT


DOCUMENTS = dict(own_documents())


def test_all_documents_are_found() -> None:
    names = " ".join(DOCUMENTS)

    assert names.count("README") == read_tour().count("shop ask")
    assert names.count("GraphiQL") == len(EXAMPLES) >= 12
    assert all(f" {kind}" in names for kind in ("Web", "Mobile", "Staff", "Tracking"))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_of_ours_takes_less_than_a_tenth_of_the_budget_of_a_guest(name: str) -> None:
    guest = Settings.from_environment(env_file=None, secret_key="x" * 32).costs.guest
    operations = schema.documents.read(DOCUMENTS[name]).operations

    dearest = max(each.cost({"first": PAGE_SIZE}) for each in operations.values())

    assert 0 < dearest <= guest.capacity / SHARE
    assert dearest <= guest.operation / MARGIN


async def test_the_page_of_a_storefront_is_valid_and_answered(clients: Clients) -> None:
    answer = await clients.guest().get(STOREFRONT, first=PAGE_SIZE)

    assert set(answer) >= {"categories", "listing", "newest", "product", "cart"}
