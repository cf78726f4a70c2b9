"""A question becomes a plan."""

import json

import pytest

from words.asking import (
    WISHES_LIMIT,
    Known,
    NoPlan,
    halves,
    joined,
    mistyped,
    parted,
    planned,
    read_plan,
    spoken_of,
    wishes,
)


def test_the_last_word_may_be_unfinished() -> None:
    assert [(wish.looks, wish.unfinished) for wish in wishes("blue jackets")] == [
        (("blue",), False),
        (("jackets", "jacket"), True),
    ]


def test_fillers_are_looked_for_only_where_nothing_else_is() -> None:
    assert [wish.word for wish in wishes("a case for the phone")] == ["case", "phone"]
    assert [wish.word for wish in wishes("for the")] == ["for", "the"]


def test_neighbours_are_one_word_where_only_that_is_known() -> None:
    asked = wishes("power bank")

    assert [wish.word for wish in joined(asked, Known({"powerbank": 1}))] == ["powerbank"]
    assert [wish.word for wish in joined(asked, Known({"powerbank": 1, "power": 1, "bank": 1}))] == [
        "power",
        "bank",
    ]


def test_a_word_nobody_knows_is_two_where_both_are_known() -> None:
    asked = wishes("hot greenteas")
    known = Known({"green": 4, "tea": 9, "greent": 1, "eas": 1})

    assert [(wish.word, wish.unfinished) for wish in parted(asked, known, asked)] == [
        ("hot", False),
        ("green", False),
        ("teas", True),
    ]
    assert parted(asked, Known({"green": 1}), asked) == asked
    assert parted(asked, known, []) == asked


def test_two_words_in_one_are_no_more_work_than_people_type() -> None:
    endless = wishes("green" + "t" * 60 + "ea")
    many = wishes(" ".join(f"ab{letter}cd{letter}" for letter in "efghijklmnopqrstuvwxyz12"))
    known = Known({half: 1 for wish in many for half in (wish.word[:3], wish.word[3:])})

    assert halves(endless[0].word) == []
    assert len(many) == len(parted(many, known, many)) == WISHES_LIMIT


def test_a_word_is_mistyped_only_if_nothing_is_known_by_it() -> None:
    asked = wishes("teas jakcet")

    assert [wish.word for wish in mistyped(asked, Known({"tea": 1}))] == ["jakcet"]
    assert mistyped(asked, Known({"teas": 1}, completions=[("jakcets", 1)])) == []


def test_a_plan_survives_its_cursor() -> None:
    known = Known({"tea": 3, "乌龙茶": 1}, completions=[("teapot", 1)], codes=frozenset({"=乌龙茶tee"}))
    plan = planned("乌龙茶 tee", wishes("乌龙茶 tee"), known, {"tee": [("tea", 3)]})

    assert read_plan(json.loads(json.dumps(plan.written()))) == plan
    assert (plan.asked, plan.code) == ("乌龙茶 tea", "乌龙茶tee")


def test_a_plan_that_looks_for_nothing_is_none_of_ours() -> None:
    with pytest.raises(NoPlan):
        read_plan([1, "tea", [], "", None])


@pytest.mark.parametrize("asked", ["women's jacket", "women’s jacket", "WOMEN'S jacket"])
def test_of_what_is_for_women_only_the_women_are_looked_for(asked: str) -> None:
    assert [wish.word for wish in wishes(asked)] == ["women", "jacket"]


def test_a_name_has_every_word_of_a_plan_or_is_not_meant() -> None:
    plan = planned("green te", wishes("green te"), Known({"green": 1}, completions=[("tea", 1)]), {})

    assert spoken_of(plan, ["Green teas"])
    assert not spoken_of(plan, ["Green"])
