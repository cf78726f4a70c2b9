"""The knowledge base over the API."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from gateways.secrets import fingerprint_of
from models import Role
from resolvers.ids import global_id
from tests.clients import Clients
from tests.factories.cart import create_cart
from tests.factories.knowledge import create_article
from tests.factories.token import new_cart_token
from tests.observe import count_statements

ARTICLES = """query($query: String, $category: String, $tag: String, $language: String, $first: Int! = 20,
  $after: String) {
  articles(
    query: $query, category: $category, tag: $tag, language: $language, first: $first, after: $after
  ) { nodes { title } pageInfo { hasNextPage endCursor } totalCount } }"""
ARTICLE = "query($id: ID, $slug: String) { article(id: $id, slug: $slug) { title versions { version } } }"
SUGGEST = (
    "query($query: String!, $first: Int! = 5) { articleSuggestions(query: $query, first: $first) { title } }"
)
SEEN = "article { id slug status title version helpful unhelpful } userErrors { code field }"
SAVE = f"mutation($input: ArticleSaveInput!) {{ articleSave(input: $input) {{ {SEEN} }} }}"
PUBLISH = f"mutation($input: ArticlePublishInput!) {{ articlePublish(input: $input) {{ {SEEN} }} }}"
RATE = f"mutation($input: ArticleRateInput!) {{ articleRate(input: $input) {{ {SEEN} }} }}"

WRITTEN = {
    "slug": "returns",
    "language": "en",
    "category": "returns",
    "tags": ["refund"],
    "title": "How to return",
    "body": "# Within seven days",
}


def titles(connection: dict[str, Any]) -> list[str]:
    return [node["title"] for node in connection["nodes"]]


@pytest.fixture
async def sample_articles(shop: Shop) -> None:
    """Four published articles and a draft."""
    async with shop.database.writes.begin() as session:
        for title, body, more in (
            (
                "退货流程",
                "签收后七天内可以申请无理由退货，请保持商品完好。",
                {"language": "zh-CN", "tags": ["退款"]},
            ),
            ("运费由谁承担", "质量问题由商家承担运费。", {"language": "zh-CN", "category": "shipping"}),
            ("How long does a refund take?", "Your bank needs three days.", {"tags": ["refund", "bank"]}),
            ("Where is my parcel?", "The courier tells you. A refund is possible.", {"category": "shipping"}),
        ):
            await create_article(session, title=title, body=body, **more)
        await create_article(session, title="A secret refund", published=False)


@pytest.mark.usefixtures("sample_articles")
@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"query": "refund"}, ["How long does a refund take?", "Where is my parcel?"]),
        ({"query": "refunds bank"}, ["How long does a refund take?"]),
        ({"query": "退货"}, ["退货流程"]),
        ({"query": "运费"}, ["运费由谁承担"]),
        ({"query": "unicorn"}, []),
        ({"category": "shipping"}, ["Where is my parcel?", "运费由谁承担"]),
        ({"tag": "bank"}, ["How long does a refund take?"]),
        ({"tag": "退款"}, ["退货流程"]),
        ({"language": "zh-CN"}, ["运费由谁承担", "退货流程"]),
    ],
)
async def test_articles_are_found_by_their_text_category_tag_and_language(
    clients: Clients, filters: dict[str, str], found: list[str]
) -> None:
    assert titles((await clients.guest().get(ARTICLES, **filters))["articles"]) == found


@pytest.mark.usefixtures("sample_articles")
async def test_pages_of_found_articles_follow_each_other(clients: Clients) -> None:
    first = (await clients.guest().get(ARTICLES, query="refund", first=1))["articles"]
    cursor = first["pageInfo"]["endCursor"]
    second = (await clients.guest().get(ARTICLES, query="refund", first=1, after=cursor))["articles"]

    assert titles(first) + titles(second) == ["How long does a refund take?", "Where is my parcel?"]
    assert (first["totalCount"], second["pageInfo"]["hasNextPage"]) == (2, False)


@pytest.mark.usefixtures("sample_articles")
@pytest.mark.parametrize(
    ("text", "best"),
    [
        ("我想申请退货，请问怎么办", "退货流程"),
        ("退回去的运费谁来付", "运费由谁承担"),
        ("I have been waiting for the refund from my bank", "How long does a refund take?"),
        ("where on earth is that parc", "Where is my parcel?"),
    ],
)
async def test_a_text_being_typed_finds_the_article_that_answers_it(
    clients: Clients, text: str, best: str
) -> None:
    found = (await clients.guest().get(SUGGEST, query=text))["articleSuggestions"]

    assert found[0] == {"title": best}


@pytest.mark.usefixtures("sample_articles")
@pytest.mark.parametrize("text", ["", "   ", "the and of", "'\"*():&|!", "a" * 5_000])
async def test_a_text_without_terms_finds_no_suggestions(clients: Clients, text: str) -> None:
    assert (await clients.guest().get(SUGGEST, query=text))["articleSuggestions"] == []


@pytest.mark.parametrize("first", [0, 11])
async def test_there_are_one_to_ten_suggestions(clients: Clients, first: int) -> None:
    reply = await clients.guest().ask(SUGGEST, query="refund", first=first)

    assert reply["errors"][0]["extensions"]["code"] == "INVALID"


@pytest.mark.usefixtures("sample_articles")
async def test_many_suggestions_are_read_with_one_statement(clients: Clients, shop: Shop) -> None:
    await shop.article_index.ready()
    shop.article_index.at_each_search = shop.synonyms.at_each_search = False
    await shop.synonyms.known()
    document = """{ a: articleSuggestions(query: "refund") { title }
      b: articleSuggestions(query: "退货") { title } c: articleSuggestions(query: "parcel") { title } }"""
    with count_statements(shop) as counted:
        found = await clients.guest().get(document)

    assert [each[0]["title"] for each in found.values()] == [
        "How long does a refund take?",
        "退货流程",
        "Where is my parcel?",
    ]
    assert [text.count("articles.title") for text in counted.texts if "FROM articles" in text] == [1]


async def test_drafts_are_read_by_the_staff_only(clients: Clients, shop: Shop, session: AsyncSession) -> None:
    draft = await create_article(session, title="Not yet", slug="not-yet", published=False)
    await session.commit()
    customer, clerk = await clients.customer(), await clients.staff(Role.WAREHOUSE)
    ways: list[dict[str, str]] = [{"slug": "not-yet"}, {"id": global_id("Article", draft.id)}]

    for way in ways:
        assert (await customer.get(ARTICLE, **way))["article"] is None
        assert (await clerk.get(ARTICLE, **way))["article"] == {
            "title": "Not yet",
            "versions": [{"version": 1}],
        }
    assert titles((await customer.get(ARTICLES))["articles"]) == []
    assert titles((await clerk.get(ARTICLES))["articles"]) == ["Not yet"]
    status = "{ articles(status: DRAFT) { nodes { title } } }"
    assert titles((await customer.get(status))["articles"]) == []


async def test_an_article_is_written_changed_and_published(clients: Clients) -> None:
    agent = await clients.staff(Role.SUPPORT)
    draft = (await agent.do(SAVE, **WRITTEN))["article"]
    changed = await agent.do(SAVE, **(WRITTEN | {"id": draft["id"], "version": 1, "title": "Returning"}))
    late = await agent.do(SAVE, **(WRITTEN | {"id": draft["id"], "version": 1}))
    published = (await agent.do(PUBLISH, id=draft["id"]))["article"]

    assert (draft["status"], draft["version"]) == ("DRAFT", 1)
    assert (changed["article"]["title"], changed["article"]["version"]) == ("Returning", 2)
    assert late == {"article": None, "userErrors": [{"code": "CONFLICT", "field": ["version"]}]}
    assert published["status"] == "PUBLISHED"
    found = (await clients.guest().get(ARTICLES, query="returning"))["articles"]
    assert titles(found) == ["Returning"]


async def test_a_changed_article_is_found_by_its_new_text_only(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    article = await create_article(session, title="Old", body="walrus", slug="returns")
    await session.commit()
    agent = await clients.staff(Role.SUPPORT)
    given = {"id": global_id("Article", article.id), "version": 1, "body": "penguin"}
    await agent.do(SAVE, **(WRITTEN | given))

    assert titles((await agent.get(ARTICLES, query="walrus"))["articles"]) == []
    assert titles((await agent.get(ARTICLES, query="penguin"))["articles"]) == ["How to return"]


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.WAREHOUSE])
async def test_only_support_writes_articles(clients: Clients, role: Role) -> None:
    other = await clients.staff(role)

    assert (await other.do(SAVE, **WRITTEN))["userErrors"] == [{"code": "FORBIDDEN", "field": []}]
    assert titles((await (await clients.staff(Role.ADMIN)).get(ARTICLES))["articles"]) == []


async def test_a_customer_rates_once_and_may_change_the_rating(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    article = await create_article(session)
    await session.commit()
    customer = await clients.customer()
    article_id = global_id("Article", article.id)
    for helpful, counts in ((True, (1, 0)), (True, (1, 0)), (False, (0, 1))):
        rated = (await customer.do(RATE, id=article_id, helpful=helpful))["article"]
        assert (rated["helpful"], rated["unhelpful"]) == counts


async def test_a_guest_rates_with_the_token_of_their_cart(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    article = await create_article(session)
    await session.commit()
    made_up = clients.guest(**{"X-Cart-Token": "made up"})

    for guest in (clients.guest(), made_up):
        payload = await guest.do(RATE, id=global_id("Article", article.id), helpful=True)
        assert payload["userErrors"] == [{"code": "UNAUTHENTICATED", "field": []}]

    token = new_cart_token(clients.shop)
    await create_cart(session, token_hash=fingerprint_of(token))
    await session.commit()
    for _ in range(2):
        guest = clients.guest(**{"X-Cart-Token": token})
        rated = (await guest.do(RATE, id=global_id("Article", article.id), helpful=True))["article"]
        assert (rated["helpful"], rated["unhelpful"]) == (1, 0)
