"""Questions are understood the same by each engine, with few look-ups."""

from collections.abc import AsyncIterator, Sequence

import pytest

from gateways.search import EmbeddedIndex, IndexDocument, SearchIndex
from loaders.search import ARTICLE_LAYOUT
from loaders.search.article_documents import document_of
from loaders.search.corrected_questions import LOOKED_UP_LIMIT, correct_questions
from models import Article, ArticleAudience, ArticleStatus
from tests.search_engine import open_search_index


def written(id: int, title: str, body: str, *tags: str) -> Article:
    return Article(
        id=id,
        title=title,
        body=body,
        tags=list(tags),
        category="help",
        questions=[],
        status=ArticleStatus.PUBLISHED,
        language="en",
        audience=ArticleAudience.PUBLIC,
    )


@pytest.fixture(params=["embedded", "server"])
async def index(request: pytest.FixtureRequest) -> AsyncIterator[SearchIndex]:
    """Two articles, by each kind of index."""
    articles = [
        written(1, "How do refunds work?", "We carry it to the carrier.", "refund", "invoice"),
        written(2, "退款多久到账", "很快，发票也有。", "发票", "联系我们"),
    ]

    async def batches() -> AsyncIterator[Sequence[IndexDocument]]:
        yield [document_of(each) for each in articles]

    if request.param == "embedded":
        found = EmbeddedIndex(ARTICLE_LAYOUT)
        await found.build(batches(), position="p1")
        yield found
        return
    async with open_search_index(ARTICLE_LAYOUT, request.getfixturevalue("search_engine")) as server:
        async with server.writing():
            await server.build(batches(), position="p1")
        yield server


async def test_what_was_meant_is_the_same_in_each_index(index: SearchIndex) -> None:
    meant = {
        "refnud": "refund",
        "My INVIOCE, please": "My invoice, please",
        "refu": "refu",
        "tuikuan": "退款",
        "tuik": "退款",
        "tuikaun": "退款",
        "tui kuan duo jiu": "退款 多久",
        "women": "women",
        "carriar": "carriar",
        "=tuikuan=": "=退款=",
        ".*(invioce)|": ".*(invoice)|",
        "退货": "退货",
        "": "",
    }

    assert dict(zip(meant, await correct_questions(index, list(meant)), strict=True)) == meant


class CountingIndex(EmbeddedIndex):
    """Counts the look-ups of words."""

    asked = 0

    async def corrections(
        self, word: str, *, limit: int, is_prefix: bool = False
    ) -> Sequence[tuple[str, int]]:
        self.asked += 1
        return await super().corrections(word, limit=limit, is_prefix=is_prefix)


async def test_a_page_of_questions_looks_up_a_limited_number_of_words() -> None:
    async def batches() -> AsyncIterator[Sequence[IndexDocument]]:
        yield [document_of(written(1, "How do refunds work?", "Soon.", "refund"))]

    counted = CountingIndex(ARTICLE_LAYOUT)
    await counted.build(batches(), position="p1")
    letters = "abcdefghij"
    texts = [" ".join(f"{one}{two}{three}zzz" for three in letters) for one in letters for two in letters]

    assert await correct_questions(counted, texts[:1]) == texts[:1]
    assert counted.asked == 4
    assert await correct_questions(counted, texts) == texts
    assert counted.asked == 4 + LOOKED_UP_LIMIT
