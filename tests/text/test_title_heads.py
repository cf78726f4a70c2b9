"""A title is about the noun at its head, a query about its last noun."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from text.stemmer import stem_word
from text.title_heads import find_heads, look_of, query_head

HEADS = {
    'HP EliteBook 840 Notebook Silver 35.6 cm (14") Core i5 16 GB 256 GB SSD': ["notebook", "core"],
    "Kensington Classic Laptop Sleeve": ["sleev"],
    "Leather case for iPhone 11 with card holder": ["case"],
    "Philips headphones/headset Black": ["headphon", "headset"],
    "Tablet and phone stand": ["stand"],
    "Alienware keyboard USB Black": ["keyboard", "usb"],
    "4-Port USB 2.0 Hub, white": ["hub"],
    "For iPhone": [],
    "华为 Mate20 手机": ["手机", "mate20"],
    "手机壳透明 适用于华为 Mate20": ["壳", "手机壳"],
    "苹果手机数据线 黑色": ["数据线"],
    "": [],
    "...": [],
}
QUERIES = {
    "gaming mouse pad": "pad",
    "Case for iPhone": "case",
    "white laptop black": "laptop",
    "iphone 11": "iphone",
    "便宜手机": "手机",
    "手机包邮": "手机",
    "手机壳": "壳",
    "中性笔 黑色": "中性笔",
    "400ml": "",
    "!?": "",
}


@pytest.mark.parametrize("title", HEADS)
def test_heads_are_where_a_noun_phrase_ends(title: str) -> None:
    assert find_heads(title, brand="Kensington Philips 华为") == HEADS[title]


def test_what_describes_the_product_is_no_head() -> None:
    assert find_heads("Mug stoneware", values={"stoneware"}) == ["mug"]
    assert find_heads("Mug stoneware") == ["stonewar"]


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_is_about_its_last_noun(query: str) -> None:
    assert query_head(query) == QUERIES[query]


def test_products_that_differ_in_colour_and_size_look_the_same() -> None:
    looks = {look_of(title, {"stoneware"}) for title in ("Mug red 400 ml", "Mug blue 300ml", "MUG stoneware")}

    assert len(looks) == 1
    assert look_of("Mug 11 Pro", ()) not in looks
    assert look_of("口红 红色", ()) == look_of("口红 黑色", ())


def test_words_are_stemmed_in_several_threads_at_once() -> None:
    words = [
        f"{start}{middle}nings"
        for start in "bcdfghklmnprst"
        for middle in ("run", "ope", "lea", "mea", "tur")
    ]
    expected = [stem_word(word) for word in words]
    stem_word.cache_clear()

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: [stem_word.__wrapped__(word) for word in words], range(20)))

    assert all(each == expected for each in found)
