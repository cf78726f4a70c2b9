"""Urgent words are found in texts, unless they are part of an expression in which they say something else."""

import sys
from collections.abc import Iterable
from types import FrameType

import pytest

from domain.aftersales.urgent_terms import UrgentTerms, find_urgent_terms
from domain.aftersales.urgent_terms.finding import parts_of
from models import UrgentTerm


def terms_of(*words: tuple[str, Iterable[str]]) -> UrgentTerms:
    return UrgentTerms.of(
        UrgentTerm(edition=1, term=parts_of(word)[0], hours=5, exceptions=list(exceptions))
        for word, exceptions in words
    )


@pytest.mark.parametrize(
    ("word", "exceptions", "text", "found"),
    [
        ("leak", ["leak by leak test"], "A leak by leak test", []),
        ("leak", ["leak by leak test"], "It leaks: leak by leak test", ["leaks"]),
        ("leak", ["leak by leak test"], "a leak by leak", ["leak"]),
        ("leak", ["leak leak tea"], "leak leak leak tea", ["leak"]),
        ("leak", ["leak tea", "green leak"], "green leaks, leaking tea", []),
        ("leak", ["绿茶 leak"], "绿茶 leak", []),
        ("leak", ["绿茶 leak"], "喝绿茶 leak", ["leak"]),
        ("漏水", ["漏水漏水壶"], "漏水漏水壶", []),
        ("漏水", ["漏水漏水壶"], "一个漏水漏水壶漏水", ["漏水"]),
        ("漏水", ["漏水漏水壶"], "漏水漏水", ["漏水"]),
        ("漏水", ["漏水漏水壶"], "漏水 漏水壶", ["漏水"]),
        ("哈哈", ["哈哈哈镜"], "哈哈哈镜", []),
        ("哈哈", ["哈哈哈镜"], "哈哈哈哈镜", ["哈哈"]),
        ("漏水", ["防漏水", "漏水壶"], "防漏水壶", []),
    ],
)
def test_a_word_says_something_else_at_each_place_of_an_exception_and_nowhere_beside_it(
    word: str, exceptions: list[str], text: str, found: list[str]
) -> None:
    assert list(find_urgent_terms(text, terms_of((word, exceptions)))) == found


def test_an_exception_of_one_word_is_none_of_another() -> None:
    terms = terms_of(("漏水", ["漏水壶"]), ("水壶", []), ("tea", []), ("leak", ["leak tea"]))

    assert find_urgent_terms("漏水壶 leak tea", terms) == {"水壶": 5, "tea": 5}


def count_calls(text: str, terms: UrgentTerms) -> int:
    """How many functions are called while a text is read, those of the interpreter included."""
    calls = 0

    def note(_frame: FrameType, event: str, _called: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    find_urgent_terms(text, terms)  # what is remembered of its words is there
    sys.setprofile(note)
    try:
        find_urgent_terms(text, terms)
    finally:
        sys.setprofile(None)
    return calls


HAN = [chr(0x4E00 + number) for number in range(500)]


def test_a_text_is_read_in_a_few_steps_a_character_for_five_hundred_words() -> None:
    terms = terms_of(*((each, [HAN[0] + each]) for each in HAN))

    for text in (" ".join(HAN), "".join(HAN), "".join(f"不{each}" for each in HAN)):
        assert count_calls(text, terms) < 12 * len(text)


@pytest.mark.parametrize("word", ["leak ", "漏"])
def test_a_text_twice_as_long_takes_twice_the_steps_however_often_a_word_is_in_its_exceptions(
    word: str,
) -> None:
    terms = terms_of((word, [word * count for count in range(2, 10)]))

    short, long = count_calls(word * 200, terms), count_calls(word * 400, terms)

    assert 1.9 * short < long < 2.1 * short
    assert short < 200 * 50
