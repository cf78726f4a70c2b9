"""Documents and queries are analyzed in the same way."""

from text import ANALYZED_LIMIT, analyze_texts, strip_html


def test_chinese_is_indexed_as_words_and_as_single_characters() -> None:
    assert analyze_texts(["高山乌龙茶"]) == "高山 乌龙 乌龙茶 高 山 乌 龙 茶"


def test_english_is_indexed_as_written_and_as_its_stem() -> None:
    assert analyze_texts(["Running JACKETS"]) == "running run jackets jacket"


def test_accents_widths_and_capitals_make_no_difference() -> None:
    assert analyze_texts(["Café ＴＥＡ"]) == "cafe tea"


def test_kana_keep_their_marks() -> None:
    assert analyze_texts(["ガラス"]) == "ガラス"


def test_codes_are_split_at_their_hyphens() -> None:
    assert analyze_texts(["AB-12_x"]) == "ab 12 x"


def test_only_the_first_100_characters_of_a_word_are_indexed() -> None:
    assert analyze_texts(["x" * 101, "!?", ""]) == "x" * 100


def test_the_terms_of_one_document_are_limited() -> None:
    assert len(analyze_texts(["word " * ANALYZED_LIMIT])) == ANALYZED_LIMIT


def test_html_tags_are_not_indexed() -> None:
    assert strip_html("<p>Black&nbsp;<b>tea</b> &amp; milk</p>").split() == ["Black", "tea", "&", "milk"]
