"""The knowledge base through the front door."""

from typing import Any

import pytest

from events.shop import Shop
from gateways.secrets import fingerprint
from models import Role
from resolvers.ids import global_id
from tests.factories.cart import create_cart
from tests.factories.knowledge import create_article
from tests.front import Front
from tests.observe import statements

ARTICLES = """query($search: String, $category: String, $tag: String, $language: String, $first: Int! = 20,
  $after: String) {
  articles(
    search: $search, category: $category, tag: $tag, language: $language, first: $first, after: $after
  ) { nodes { title } pageInfo { hasNextPage endCursor } totalCount } }"""
ARTICLE = "query($id: ID, $slug: String) { article(id: $id, slug: $slug) { title versions { version } } }"
SUGGEST = (
    "query($text: String!, $first: Int! = 5) { articleSuggestions(text: $text, first: $first) { title } }"
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
async def shelf(shop: Shop) -> None:
    """Four articles everybody can read and a draft."""
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


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"search": "refund"}, ["How long does a refund take?", "Where is my parcel?"]),
        ({"search": "refunds bank"}, ["How long does a refund take?"]),
        ({"search": "退货"}, ["退货流程"]),
        ({"search": "运费"}, ["运费由谁承担"]),
        ({"search": "unicorn"}, []),
        ({"category": "shipping"}, ["Where is my parcel?", "运费由谁承担"]),
        ({"tag": "bank"}, ["How long does a refund take?"]),
        ({"tag": "退款"}, ["退货流程"]),
        ({"language": "zh-CN"}, ["运费由谁承担", "退货流程"]),
    ],
)
async def test_articles_are_found_by_their_words_and_by_what_they_are_filed_under(
    front: Front, asked: dict[str, str], found: list[str]
) -> None:
    assert titles((await front.guest().get(ARTICLES, **asked))["articles"]) == found


@pytest.mark.usefixtures("shelf")
async def test_pages_of_found_articles_follow_each_other(front: Front) -> None:
    first = (await front.guest().get(ARTICLES, search="refund", first=1))["articles"]
    cursor = first["pageInfo"]["endCursor"]
    second = (await front.guest().get(ARTICLES, search="refund", first=1, after=cursor))["articles"]

    assert titles(first) + titles(second) == ["How long does a refund take?", "Where is my parcel?"]
    assert (first["totalCount"], second["pageInfo"]["hasNextPage"]) == (2, False)


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    ("text", "best"),
    [
        ("我想申请退货，请问怎么办", "退货流程"),
        ("退回去的运费谁来付", "运费由谁承担"),
        ("I have been waiting for the refund from my bank", "How long does a refund take?"),
        ("where on earth is that parc", "Where is my parcel?"),
    ],
)
async def test_what_a_customer_types_finds_what_answers_it(front: Front, text: str, best: str) -> None:
    found = (await front.guest().get(SUGGEST, text=text))["articleSuggestions"]

    assert found[0] == {"title": best}


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize("text", ["", "   ", "the and of", "'\"*():&|!", "a" * 5_000])
async def test_what_says_nothing_finds_nothing(front: Front, text: str) -> None:
    assert (await front.guest().get(SUGGEST, text=text))["articleSuggestions"] == []


@pytest.mark.parametrize("first", [0, 11])
async def test_there_are_one_to_ten_suggestions(front: Front, first: int) -> None:
    reply = await front.guest().ask(SUGGEST, text="refund", first=first)

    assert reply["errors"][0]["extensions"]["code"] == "INVALID"


@pytest.mark.usefixtures("shelf")
async def test_many_suggestions_take_one_statement(front: Front, shop: Shop) -> None:
    document = """{ a: articleSuggestions(text: "refund") { title }
      b: articleSuggestions(text: "退货") { title } c: articleSuggestions(text: "parcel") { title } }"""
    with statements(shop) as counted:
        found = await front.guest().get(document)

    assert [each[0]["title"] for each in found.values()] == [
        "How long does a refund take?",
        "退货流程",
        "Where is my parcel?",
    ]
    assert counted.total == 1


async def test_drafts_are_read_by_the_staff_only(front: Front, shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        draft = await create_article(session, title="Not yet", slug="not-yet", published=False)
    customer, clerk = await front.customer(), await front.staff(Role.WAREHOUSE)
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


async def test_an_article_is_written_changed_and_published(front: Front) -> None:
    agent = await front.staff(Role.SUPPORT)
    draft = (await agent.do(SAVE, **WRITTEN))["article"]
    changed = await agent.do(SAVE, **(WRITTEN | {"id": draft["id"], "version": 1, "title": "Returning"}))
    late = await agent.do(SAVE, **(WRITTEN | {"id": draft["id"], "version": 1}))
    published = (await agent.do(PUBLISH, id=draft["id"]))["article"]

    assert (draft["status"], draft["version"]) == ("DRAFT", 1)
    assert (changed["article"]["title"], changed["article"]["version"]) == ("Returning", 2)
    assert late == {"article": None, "userErrors": [{"code": "CONFLICT", "field": ["version"]}]}
    assert published["status"] == "PUBLISHED"
    found = (await front.guest().get(ARTICLES, search="returning"))["articles"]
    assert titles(found) == ["Returning"]


async def test_a_changed_article_is_found_by_its_new_words_only(front: Front, shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        article = await create_article(session, title="Old", body="walrus", slug="returns")
    agent = await front.staff(Role.SUPPORT)
    given = {"id": global_id("Article", article.id), "version": 1, "body": "penguin"}
    await agent.do(SAVE, **(WRITTEN | given))

    assert titles((await agent.get(ARTICLES, search="walrus"))["articles"]) == []
    assert titles((await agent.get(ARTICLES, search="penguin"))["articles"]) == ["How to return"]


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.WAREHOUSE])
async def test_only_support_writes_articles(front: Front, role: Role) -> None:
    somebody = await front.staff(role)

    assert (await somebody.do(SAVE, **WRITTEN))["userErrors"] == [{"code": "FORBIDDEN", "field": []}]
    assert titles((await (await front.staff(Role.ADMIN)).get(ARTICLES))["articles"]) == []


async def test_a_customer_rates_once_and_may_think_again(front: Front, shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        article = await create_article(session)
    customer = await front.customer()
    article_id = global_id("Article", article.id)
    for helpful, counts in ((True, (1, 0)), (True, (1, 0)), (False, (0, 1))):
        rated = (await customer.do(RATE, id=article_id, helpful=helpful))["article"]
        assert (rated["helpful"], rated["unhelpful"]) == counts


async def test_a_guest_rates_with_the_token_of_their_cart(front: Front, shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        article = await create_article(session)
    made_up = front.guest(**{"X-Cart-Token": "made up"})

    for nobody in (front.guest(), made_up):
        payload = await nobody.do(RATE, id=global_id("Article", article.id), helpful=True)
        assert payload["userErrors"] == [{"code": "UNAUTHENTICATED", "field": []}]

    async with shop.database.writes.begin() as session:
        await create_cart(session, token_hash=fingerprint("mine"))
    for _ in range(2):
        guest = front.guest(**{"X-Cart-Token": "mine"})
        rated = (await guest.do(RATE, id=global_id("Article", article.id), helpful=True))["article"]
        assert (rated["helpful"], rated["unhelpful"]) == (1, 0)
