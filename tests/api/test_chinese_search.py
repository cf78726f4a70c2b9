"""Chinese is found as it is typed: other spellings, traditional characters, letters and digits, units."""

import pytest

from events.shop import Shop
from tests.api.test_search import FIND, find_best_matches, product_draft, search_slugs
from tests.clients import Clients
from tests.factories.catalog import save_drafts

TITLES = {
    "mate20": "华为 Mate20 手机",
    "mate20pro": "华为 Mate 20 Pro 手机",
    "iphone": "Apple iPhone 11 手机",
    "redmi": "红米 Redmi Note 7",
    "canon": "Canon EOS 600D camera",
    "oppo": "OPPO R11 Plus 手机",
    "p30": "P30 Pro phone",
    "lipstick": "口红 正红色",
    "headphones": "头戴式耳机 轻便舒适",
    "stapler": "订书机 20页",
    "laptop": "13寸 笔记本电脑",
    "other-laptop": '13" laptop',
    "cream": "护肤面霜 400ml",
    "shampoo": "洗发水 400毫升",
    "gel": "沐浴露 400 mL",
    "apple": "苹果 红富士",
    "rope": "跳绳 3米",
    "toy": "木制玩具 适合儿童",
}
PHONES = {"mate20", "mate20pro", "iphone", "oppo"}
QUERIES: dict[str, set[str]] = {
    # one shared character is not the word
    "便宜手机": PHONES,
    "手机包邮": PHONES,
    "好看的口红": {"lipstick"},
    "牙刷": set(),
    "中性笔": set(),
    "方便面": set(),
    # a word that no product has whole, of two that it has
    "儿童玩具": {"toy"},
    # letters and digits together or apart
    "iphone11": {"iphone"},
    "iphone 11": {"iphone"},
    "mate20": {"mate20", "mate20pro"},
    "mate 20": {"mate20", "mate20pro"},
    "华为mate20": {"mate20", "mate20pro"},
    "p30pro": {"p30"},
    "redminote7": {"redmi"},
    "600d": {"canon"},
    "600 d": {"canon"},
    "r11plus": {"oppo"},
    # traditional characters
    "華為手機": {"mate20", "mate20pro"},
    "電腦": {"laptop"},
    "訂書機": {"stapler"},
    "護膚": {"cream"},
    # units
    "400ml": {"cream", "shampoo", "gel"},
    "400毫升": {"cream", "shampoo", "gel"},
    "400 mL": {"cream", "shampoo", "gel"},
    "13寸": {"laptop", "other-laptop"},
    "13英寸": {"laptop", "other-laptop"},
    '13"': {"laptop", "other-laptop"},
    # pinyin, with blanks and as initials
    "pinguo": {"apple"},
    "ping guo": {"apple"},
    "kouhong": {"lipstick"},
    "dsj": {"stapler"},
}


@pytest.fixture
async def catalogue(shop: Shop) -> Shop:
    await save_drafts(shop, *(product_draft(slug, title, category_path=()) for slug, title in TITLES.items()))
    return shop


async def test_chinese_queries_find_what_is_meant(catalogue: Shop, clients: Clients) -> None:
    guest = clients.guest()

    assert {query: set(await find_best_matches(guest, query)) for query in QUERIES} == QUERIES


@pytest.mark.parametrize("query", ["🍵", "…", "!?", "，。", "👍🏽 ❤️"])
async def test_a_search_without_a_word_finds_nothing(catalogue: Shop, clients: Clients, query: str) -> None:
    found = (await clients.guest().get(FIND, query=query))["products"]

    assert (found["nodes"], found["correctedQuery"], found["partialMatch"]) == ([], None, False)
    assert len(await search_slugs(clients.guest(), "  ")) == len(TITLES)
