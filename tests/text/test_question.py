"""Questions as they are typed, with errors and in pinyin."""

import pytest

from text.pinyin import written_pinyin
from text.question import asks_in_chinese, closest_word, neighbour_words, replace_words


@pytest.mark.parametrize(
    ("word", "close", "meant"),
    [
        ("retrun", ["return"], "return"),
        ("refnd", ["refuge", "refund"], "refuge"),
        ("form", ["fort", "from"], "from"),
        ("tall", ["tell"], None),
        ("stone", ["store"], None),
        ("pasword", ["password"], "password"),
        ("cart", ["carts"], None),
        ("barter", ["carter"], None),
        ("unicorn", [], None),
    ],
)
def test_the_shorter_a_word_is_the_nearer_is_what_was_meant(
    word: str, close: list[str], meant: str | None
) -> None:
    assert closest_word(word, close) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Refnud, please: REFNUD", "refund, please: refund"),
        ("wo yao tui  kuan!", "wo yao 退款!"),
        ("tui, kuan", "tui, kuan"),
        ("tuikuan的tuikuan", "退款的退款"),
        ("refnud's refnud2 x_refnud", "refnud's refnud2 x_refnud"),
        ("tui kuan kuan", "退款 kuan"),
        ("", ""),
    ],
)
def test_whole_words_are_replaced_and_all_else_stays(text: str, meant: str) -> None:
    assert replace_words(text, {"refnud": "refund", "tuikuan": "退款"}) == meant


def test_neighbours_may_be_the_syllables_of_one_word() -> None:
    assert neighbour_words("Tui kuan退 huo, zhuang chuangx") == ["tuikuan"]


@pytest.mark.parametrize(
    ("text", "meant", "is_chinese"),
    [
        ("invoice", "invoice", False),
        ("怎么要 invoice", "怎么要 invoice", True),
        ("fapiao", "fapiao 发票", True),
        ("zen me tui kuan", "zen me 退款", True),
        ("how do I get a fapiao", "how do I get a 发票", False),
    ],
)
def test_pinyin_is_chinese_unless_english_words_are_around_it(
    text: str, meant: str, is_chinese: bool
) -> None:
    assert asks_in_chinese(text, meant) is is_chinese


def test_words_of_several_characters_stand_after_their_pinyin() -> None:
    assert written_pinyin(["退款多久", "the VAT"]) == ["=tuikuan=退款", "=duojiu=多久"]
