"""Products that only customers with their link see."""

from events.shop import Shop
from models import ProductStatus
from resolvers.ids import global_id
from tests.api.cart.documents import ADD
from tests.api.catalog.sample import SLUGS, refusal_of, slugs, tea
from tests.api.test_catalog_editing import mutation
from tests.clients import Client, Clients
from tests.factories.catalog import save_drafts
from tests.given import codes

BY_ID = "query ($id: ID!) { product(id: $id) { slug variants { id } } node(id: $id) { id } }"
SUGGEST = "query ($text: String!) { searchSuggestions(query: $text) { product { slug } text } }"
FACETS = "{ products { totalCount facets { brands { brand count } } } }"
PUBLISH = mutation("productPublish", "product { slug status }")


async def save_tea(shop: Shop, status: ProductStatus, slug: str) -> str:
    """The global id of a new product."""
    (saved,) = await save_drafts(shop, tea(slug, "Oolong tea", 1_000, brand=slug, status=status))
    return global_id("Product", saved.product.id)


async def test_an_unlisted_product_is_seen_and_bought_by_its_link(shop: Shop, clients: Clients) -> None:
    product_id = await save_tea(shop, ProductStatus.UNLISTED, "secret")
    guest = clients.guest()

    seen = await guest.get(BY_ID, id=product_id)
    (variant,) = seen["product"].pop("variants")
    added = await guest.do(ADD, variantId=variant["id"])

    assert seen == {"product": {"slug": "secret"}, "node": {"id": product_id}}
    assert codes(added) == []
    assert added["cart"]["lines"][0]["quantity"] == 1


async def test_no_list_and_no_search_has_an_unlisted_product(
    shop: Shop, clients: Clients, clerk: Client
) -> None:
    await save_tea(shop, ProductStatus.UNLISTED, "secret")
    await save_tea(shop, ProductStatus.ACTIVE, "open")
    guest = clients.guest()

    facets = (await guest.get(FACETS))["products"]
    suggested = (await guest.get(SUGGEST, text="oolong"))["searchSuggestions"]

    assert await slugs(guest) == ["open"]
    assert await slugs(guest, query="oolong") == ["open"]
    assert (facets["totalCount"], facets["facets"]["brands"]) == (1, [{"brand": "open", "count": 1}])
    assert {each["product"]["slug"] for each in suggested if each["product"]} <= {"open"}
    assert await refusal_of(guest, SLUGS, filter={"status": ["UNLISTED"]}) == (
        "FORBIDDEN",
        "You may not do this.",
    )
    assert await slugs(clerk, filter={"status": ["UNLISTED"]}) == ["secret"]


async def test_staff_publish_a_product_for_those_who_have_its_link(
    shop: Shop, clients: Clients, clerk: Client
) -> None:
    product_id = await save_tea(shop, ProductStatus.DRAFT, "secret")

    unlisted = await clerk.do(PUBLISH, id=product_id, unlisted=True)
    hidden = await slugs(clients.guest())
    listed = await clerk.do(PUBLISH, id=product_id)

    assert unlisted["product"] == {"slug": "secret", "status": "UNLISTED"}
    assert hidden == []
    assert listed["product"] == {"slug": "secret", "status": "ACTIVE"}
    assert await slugs(clients.guest()) == ["secret"]
