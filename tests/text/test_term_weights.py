"""The weight of a term depends on its own document only."""

from text import IndexedField, inverse_document_frequency, normalize_code, pinyin_terms, weigh_terms
from text.term_weights import TERMS_LIMIT, WEIGHT_LIMIT

TITLE = IndexedField(boost=2.0, average_length=4, with_pinyin=True)
TEXT = IndexedField(boost=1.0, average_length=20, keep_words=False)


def test_a_word_of_the_title_weighs_more_than_one_of_the_description() -> None:
    weights = weigh_terms([(TITLE, ["desk lamp"]), (TEXT, ["a bright light"])])

    assert weights["lamp"] > weights["light"]


def test_a_word_in_a_long_text_weighs_less() -> None:
    short = weigh_terms([(TITLE, ["lamp"])])
    long = weigh_terms([(TITLE, ["lamp for the desk the bed and the garden"])])

    assert short["lamp"] > long["lamp"]


def test_a_translation_does_not_lower_the_weights_of_the_original() -> None:
    assert weigh_terms([(TITLE, ["lamp", "绿茶"])])["lamp"] == weigh_terms([(TITLE, ["lamp"])])["lamp"]


def test_words_are_indexed_as_written_and_by_stem_or_only_by_stem() -> None:
    assert set(weigh_terms([(TITLE, ["jackets"])])) == {"jackets", "jacket"}
    assert set(weigh_terms([(TEXT, ["jackets"])])) == {"jacket"}


def test_chinese_is_indexed_by_words_characters_and_pinyin() -> None:
    weights = weigh_terms([(TITLE, ["龙井"])])

    assert set(weights) == {"龙井", "龙", "井", "longjing", "lj"}
    assert weights["龙井"] > weights["龙"] == weights["longjing"]
    assert pinyin_terms(["龙井 tea"]) == ["longjing", "lj"]


def test_terms_and_weights_of_a_document_are_limited() -> None:
    weights = weigh_terms(
        [(TEXT, [" ".join(f"w{number}" for number in range(1_000))]), (TITLE, ["lamp " * 999])]
    )

    assert len(weights) == TERMS_LIMIT
    assert max(weights.values()) == weights["lamp"] < WEIGHT_LIMIT


def test_a_rare_term_has_a_higher_idf_than_a_frequent_one_and_none_has_zero() -> None:
    assert (
        inverse_document_frequency(1, 1_000)
        > inverse_document_frequency(500, 1_000)
        > inverse_document_frequency(1_000, 1_000)
        == 1
    )
    assert inverse_document_frequency(5, 0) >= 1


def test_a_code_is_the_same_however_it_is_written() -> None:
    assert normalize_code("AB-12 x") == normalize_code("ab12X") == "ab12x"
