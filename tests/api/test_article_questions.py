"""Questions are understood as they are typed: with typing errors, in pinyin, in Chinese and in English."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from demo.content import read_content
from events.meaning import MeaningFollower
from events.shop import Shop
from models import ArticleAudience, Role, SynonymGroup
from tests.api.test_article_search import FIND, LettersIndex
from tests.clients import Clients
from tests.factories.aftersales import create_ticket
from tests.factories.knowledge import NOW, create_article
from tests.observe import count_statements

SUGGEST = """query($query: String!, $language: String) {
  articleSuggestions(query: $query, language: $language) { slug language } }"""
TICKETS = "{ tickets { nodes { description suggestedArticles(first: 1) { slug } } } }"

UNDERSTOOD = [
    ("how do i retrun an item", ["where-to-send-returns", "returning-goods"]),
    ("refnud", ["when-refunds-arrive"]),
    ("invioce", ["getting-an-invoice"]),
    ("where is my pacel", ["where-is-my-parcel"]),
    ("how to cancle my order", ["cancel-my-order"]),
    ("coupn", ["how-coupons-work"]),
    ("tuikuan", ["how-long-refunds-take"]),
    ("tui kuan", ["how-long-refunds-take"]),
    ("tuiku", ["how-long-refunds-take"]),
    ("tuikaun", ["how-long-refunds-take"]),
    ("fapiao", ["invoices"]),
    ("wuliu", ["following-a-parcel"]),
    ("tuihuo", ["seven-day-returns"]),
    ("wo xiang tuihuo", ["seven-day-returns"]),
    ("youhuiquan zenme yong", ["using-coupons"]),
]


@pytest.fixture
async def demo_articles(shop: Shop) -> None:
    """The knowledge base of the demo shop."""
    content, first_ids = read_content(), dict[str, int]()
    async with shop.database.writes.begin() as session:
        for each in sorted(content.articles, key=lambda one: one.translates is not None):
            row = await create_article(
                session,
                slug=each.slug,
                language=each.language,
                category=each.category,
                tags=each.tags,
                title=each.title,
                body=each.body,
                audience=each.audience,
            )
            row.questions = list(each.questions)
            row.original_id = first_ids[each.translates] if each.translates else None
            first_ids[each.slug] = row.id
        session.add_all(
            SynonymGroup(terms=list(words), version=1, updated_at=NOW) for words in content.synonyms
        )


async def suggest(clients: Clients, query: str, language: str | None = None) -> list[str]:
    found = await clients.guest().get(SUGGEST, query=query, language=language)
    return [each["slug"] for each in found["articleSuggestions"]]


@pytest.mark.usefixtures("demo_articles")
async def test_typing_errors_and_pinyin_are_understood_and_strange_questions_answered_with_nothing(
    clients: Clients,
) -> None:
    first = {query: (await suggest(clients, query))[:1] for query, _ in UNDERSTOOD}

    assert {query: first[query] for query, best in UNDERSTOOD if first[query][0] not in best} == {}
    for query in ("how do I fix a flat tyre", "how tall is Mount Everest", "do you sell motorcycles"):
        assert await suggest(clients, query) == []


@pytest.mark.usefixtures("demo_articles")
async def test_a_list_is_searched_for_what_was_meant(clients: Clients) -> None:
    for query, best in (
        ("how do i retrun an item", "returning-goods"),
        ("refnud", "when-refunds-arrive"),
        ("tuikuan", "how-long-refunds-take"),
        ("tui kuan", "how-long-refunds-take"),
        ("wo xiang tuihuo", "seven-day-returns"),
    ):
        assert (await clients.guest().get(FIND, query=query))["articles"]["nodes"][0] == {"slug": best}


async def test_the_model_is_asked_what_was_meant(clients: Clients, shop: Shop, session: AsyncSession) -> None:
    await create_article(session, slug="refund", title="When is a refund paid?", body="Soon.")
    await create_article(session, slug="tuikuan", language="zh-CN", title="退款多久到账", body="很快。")
    await session.commit()
    index = LettersIndex()
    shop.meaning = index
    await MeaningFollower(shop.database, index, shop.settings.search.followed_every).catch_up(index)

    for query in ("My refnud!", "wo yao tuikuan", "TUI KUAN", "refund"):
        await suggest(clients, query)
    await clients.guest().get(FIND, query="refnud")

    assert index.asked == [["My refund!"], ["wo yao 退款"], ["退款"], ["refund"], ["refund"]]


async def test_a_word_that_some_article_has_is_no_typing_error(
    clients: Clients, session: AsyncSession
) -> None:
    await create_article(session, slug="cart", title="The cart is empty", body="Add a charter.")
    await create_article(session, slug="card", title="Paying with a carter", body="Any will do.")
    await session.commit()

    assert await suggest(clients, "charter") == ["cart"]
    assert await suggest(clients, "carter") == ["card"]
    assert await suggest(clients, "carterr") == ["card"]
    assert await suggest(clients, "barter") == []  # nobody mistypes the first letter
    assert await suggest(clients, "carton") == []
    assert await suggest(clients, "charterr") == []  # no article is about it


@pytest.fixture
async def invoices(session: AsyncSession) -> None:
    """An article in Chinese with translations into English: for everybody, for agents and a draft."""
    first = await create_article(
        session,
        slug="fapiao",
        language="zh-CN",
        title="怎么开发票",
        tags=["发票", "invoice"],
        body="下单时填写。",
    )
    for slug, language, more in (
        ("secret", "en", {"audience": ArticleAudience.AGENTS}),
        ("draft", "en", {"published": False}),
        ("papers", "en-GB", {}),
        ("factura", "es", {}),
    ):
        row = await create_article(session, slug=slug, language=language, title=slug, body="...", **more)
        row.original_id = first.id
    await create_article(session, slug="alone", language="zh-CN", title="增值税 VAT", body="百分之六。")
    await session.commit()


@pytest.mark.usefixtures("invoices")
@pytest.mark.parametrize(
    ("query", "language", "shown"),
    [
        ("invoice", None, "papers"),
        ("发票", None, "fapiao"),
        ("怎么要 invoice", None, "fapiao"),
        ("fapiao", None, "fapiao"),
        ("wo yao kai fa piao", None, "fapiao"),
        ("how do i get a fapiao", None, "papers"),
        ("发票", "en", "papers"),
        ("发票", "EN-us", "papers"),
        ("invoice", "zh", "fapiao"),
        ("invoice", "es", "factura"),
        ("invoice", "fr", "fapiao"),
        ("VAT", None, "alone"),
    ],
)
async def test_an_article_is_shown_in_the_language_of_its_reader(
    clients: Clients, query: str, language: str | None, shown: str
) -> None:
    assert await suggest(clients, query, language) == [shown]


@pytest.mark.usefixtures("invoices")
async def test_agents_see_articles_in_the_language_of_the_ticket(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    counts, shown, agent = [], dict[str, str](), await clients.staff(Role.SUPPORT)
    await shop.article_index.ready(newest=True)
    for texts in (["invoice", "发票"], ["an invoice, please", "VAT and invoice"]):
        for text in texts:
            await create_ticket(session, description=text)
        await session.commit()
        with count_statements(shop) as counted:
            page = (await agent.get(TICKETS))["tickets"]["nodes"]
        counts.append(counted.total)
        shown = {each["description"]: each["suggestedArticles"][0]["slug"] for each in page}

    assert shown["发票"] == "fapiao"
    assert {shown["invoice"], shown["an invoice, please"]} <= {"papers", "secret"}
    assert counts[0] == counts[1]


async def test_articles_know_their_words_in_pinyin_by_a_mark_that_nobody_types(
    clients: Clients, session: AsyncSession
) -> None:
    await create_article(session, slug="tuikuan", language="zh-CN", title="退款多久到账", body="很快。")
    await session.commit()

    for query in ("=tuikuan=", "=tuikuan=退款", "tuikuan=", "tuikuan"):
        assert await suggest(clients, query) == ["tuikuan"]
