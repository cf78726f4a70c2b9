"""What a word says about a thing: one number, from its own texts only."""

from words import Part, code, rarity, sounds, weighed
from words.weighing import FULL, TERMS_LIMIT

TITLE = Part(counts=2.0, usual_length=4, by_sound=True)
TEXT = Part(counts=1.0, usual_length=20, as_written=False)


def test_a_word_of_the_title_says_more_than_one_of_the_description() -> None:
    weights = weighed([(TITLE, ["desk lamp"]), (TEXT, ["a bright light"])])

    assert weights["lamp"] > weights["light"]


def test_a_word_among_many_says_less() -> None:
    short = weighed([(TITLE, ["lamp"])])
    long = weighed([(TITLE, ["lamp for the desk the bed and the garden"])])

    assert short["lamp"] > long["lamp"]


def test_a_translation_takes_nothing_from_the_original() -> None:
    assert weighed([(TITLE, ["lamp", "绿茶"])])["lamp"] == weighed([(TITLE, ["lamp"])])["lamp"]


def test_words_stand_there_as_written_and_by_stem_or_only_by_stem() -> None:
    assert set(weighed([(TITLE, ["jackets"])])) == {"jackets", "jacket"}
    assert set(weighed([(TEXT, ["jackets"])])) == {"jacket"}


def test_chinese_stands_there_by_words_by_characters_and_by_sound() -> None:
    weights = weighed([(TITLE, ["龙井"])])

    assert set(weights) == {"龙井", "龙", "井", "longjing", "lj"}
    assert weights["龙井"] > weights["龙"] == weights["longjing"]
    assert sounds(["龙井 tea"]) == ["longjing", "lj"]


def test_no_thing_has_endless_words_and_none_weighs_more_than_all() -> None:
    weights = weighed([(TEXT, [" ".join(f"w{number}" for number in range(1_000))]), (TITLE, ["lamp " * 999])])

    assert len(weights) == TERMS_LIMIT
    assert max(weights.values()) == weights["lamp"] < FULL


def test_a_rare_word_is_worth_more_than_a_frequent_one_and_none_is_worth_nothing() -> None:
    assert rarity(1, 1_000) > rarity(500, 1_000) > rarity(1_000, 1_000) == 1
    assert rarity(5, 0) >= 1


def test_a_code_is_the_same_however_it_is_written() -> None:
    assert code("AB-12 x") == code("ab12X") == "ab12x"
