"""A search query becomes a query plan."""

import json

import pytest

from text.query_parser import (
    MISTYPED_LIMIT,
    SPLITS_LIMIT,
    KnownTerms,
    add_synonyms,
    build_plan,
    find_mistyped,
    join_known_pairs,
    parse_query,
    rank_splits,
    split_compounds,
    word_splits,
)
from text.query_plan import CLAUSES_LIMIT, InvalidQueryPlan, NameMatcher, read_plan


def words_of(query: str) -> list[str]:
    return [term.word for term in parse_query(query)]


def test_the_last_word_may_be_unfinished() -> None:
    assert [(term.forms, term.is_prefix) for term in parse_query("blue jackets")] == [
        (("blue",), False),
        (("jackets", "jacket"), True),
    ]


def test_stop_words_are_looked_for_only_in_a_query_of_nothing_else() -> None:
    assert words_of("a case for the phone") == ["case", "phone"]
    assert words_of("for the") == ["for", "the"]


def test_neighbours_are_one_word_where_only_that_is_known() -> None:
    terms = parse_query("power bank")
    all_known = KnownTerms({"powerbank": 1, "power": 1, "bank": 1})

    assert [term.word for term in join_known_pairs(terms, KnownTerms({"powerbank": 1}))] == ["powerbank"]
    assert [term.word for term in join_known_pairs(terms, all_known)] == ["power", "bank"]


def test_a_known_joined_word_stands_for_both_of_its_parts_at_half_weight() -> None:
    known = KnownTerms({"smartwatch": 1, "smart": 1, "watch": 1, "black": 1})

    plan = build_plan("smart watch black", parse_query("smart watch black"), known, {})

    assert [dict(clause.terms) for clause in plan.clauses] == [
        {"smart": 100, "smartwatch": 50},
        {"watch": 100, "smartwatch": 50},
        {"black": 100},
    ]
    assert plan.query == "smart watch black"


def test_an_unknown_word_is_split_into_two_known_ones_the_most_frequent_first() -> None:
    hot, teas = parse_query("hot greenteas")
    known = KnownTerms({"green": 4, "tea": 9, "greent": 1, "eas": 1})

    splits = rank_splits(teas, known)

    assert [tuple(part.word for part in split) for split in splits] == [("green", "teas"), ("greent", "eas")]
    assert [(term.word, term.is_prefix) for term in split_compounds([hot, teas], {teas: splits[0]})] == [
        ("hot", False),
        ("green", False),
        ("teas", True),
    ]
    assert rank_splits(teas, KnownTerms({"green": 1})) == []


def test_splitting_words_has_limits() -> None:
    endless = parse_query("green" + "t" * 60 + "ea")
    many = parse_query(" ".join(f"ab{letter}cd{letter}" for letter in "efghijklmnopqrstuvwxyz12"))
    known = KnownTerms({part: 1 for term in many for part in (term.word[:3], term.word[3:])})
    any_part = KnownTerms({"greenteas"[start:end]: 1 for start in range(9) for end in range(start, 10)})

    assert word_splits(endless[0].word) == []
    splits = {term: rank_splits(term, known)[0] for term in many}
    assert len(many) == len(split_compounds(many, splits)) == CLAUSES_LIMIT
    assert len(rank_splits(parse_query("greenteas")[0], any_part)) == SPLITS_LIMIT


def test_a_word_is_mistyped_only_if_no_document_has_it() -> None:
    terms = parse_query("teas jakcet")

    assert [term.word for term in find_mistyped(terms, KnownTerms({"tea": 1}))] == ["jakcet"]
    assert find_mistyped(terms, KnownTerms({"teas": 1}, completions=[("jakcets", 1)])) == []


def test_the_typos_of_the_first_unknown_words_are_corrected_and_those_of_others_are_not() -> None:
    terms = parse_query("tea jakcet botlte cofefe swaeter trosuers umbrlela")
    mistyped = find_mistyped(terms, KnownTerms({"tea": 1, "botlte": 1}))

    assert [term.word for term in mistyped] == ["jakcet", "cofefe", "swaeter", "trosuers"]
    assert len(mistyped) == MISTYPED_LIMIT


@pytest.mark.parametrize(
    ("query", "known", "heads"),
    [
        ("iphonexr", {"iphone": 3, "xr": 2}, [False, True]),
        ("smart watch", {"smartwatch": 1}, [True]),
        ("watch strap", {"watch": 3, "strap": 2}, [False, True]),
    ],
)
def test_a_query_is_about_one_word_however_it_is_split_or_joined(
    query: str, known: dict[str, int], heads: list[bool]
) -> None:
    terms = join_known_pairs(parse_query(query), KnownTerms(known))
    unknown = find_mistyped(terms, KnownTerms(known))
    split = split_compounds(terms, {term: rank_splits(term, KnownTerms(known))[0] for term in unknown})

    assert [clause.is_head for clause in build_plan(query, split, KnownTerms(known), {}).clauses] == heads


def test_synonyms_are_for_the_word_that_a_query_is_about() -> None:
    plan = build_plan("notebook sleeve", parse_query("notebook sleeve"), KnownTerms(), {})
    groups = [["laptop", "notebook"], ["sleeve", "cover", "slip on"]]

    notebook, sleeve = add_synonyms(plan, groups).clauses

    assert dict(notebook.terms) == {"notebook": 100}
    assert dict(sleeve.terms) == {"cover": 100, "sleeve": 100, "sleev": 100}
    assert add_synonyms(plan, []) == plan


def test_a_plan_survives_its_cursor() -> None:
    known = KnownTerms({"tea": 3, "乌龙茶": 1}, completions=[("teapot", 1)], is_code=True)
    plan = build_plan("乌龙茶 tee", parse_query("乌龙茶 tee"), known, {"tee": [("tea", 3)]})

    assert read_plan(json.loads(json.dumps(plan.to_values()))) == plan
    assert (plan.query, plan.code) == ("乌龙茶 tea", "乌龙茶tee")


def test_a_plan_without_clauses_is_refused() -> None:
    with pytest.raises(InvalidQueryPlan):
        read_plan([1, "tea", [], "", None])


@pytest.mark.parametrize("query", ["women's jacket", "women’s jacket", "WOMEN'S jacket"])
def test_a_possessive_is_looked_for_without_its_ending(query: str) -> None:
    assert words_of(query) == ["women", "jacket"]


def test_a_name_matches_a_plan_only_with_every_word_of_it() -> None:
    known = KnownTerms({"green": 1}, completions=[("tea", 1)])
    plan = build_plan("green te", parse_query("green te"), known, {})

    assert NameMatcher.of(plan).matches(["Green teas"])
    assert not NameMatcher.of(plan).matches(["Green"])
