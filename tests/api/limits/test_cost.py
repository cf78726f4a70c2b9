"""The cost of an operation: its fields, times the rows of the lists they stand in."""

from typing import Any

import pytest
import strawberry
from graphql import get_introspection_query

from schema import schema
from schema.limits.prices import SizeMissing, collect_prices
from schema.limits.refusals import OperationRefused
from schema.limits.sizes import ARGON2, COMMAND, COUNT, FACETS, FEW, SEARCH, SOME, SUGGESTIONS
from settings import Settings

PAGE = SEARCH + 1
"""Of `products`, and of `nodes` below it."""


def cost_of(text: str, operation: str | None = None, **variables: Any) -> int:
    return schema.documents.read(text).operations[operation].cost(variables)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ("viewer { role language }", 3),
        ("viewer { account { id } }", 3),
        ('product(slug: "a") { tags }', 2),
        ('product(slug: "a") { variants { id sku } }', 2 + SOME * 2),
        ('product(slug: "a") { variants { options { name } } }', 2 + SOME * (1 + FEW)),
        ("products(first: 3) { nodes { id title } }", PAGE + 3 * 2),
        ("products(first: 3) { edges { node { id } cursor } }", PAGE + 3 * 3),
        ("products(first: 3) { nodes { id } edges { cursor } }", PAGE + 1 + 3 * 2),
        ("products(first: 3) { totalCount nodes { variants { id } } }", PAGE + 5 + 3 * (1 + SOME)),
        ("products { nodes { id } }", PAGE + 20),
        ("products(first: 0) { nodes { id } }", PAGE),
        ("products(first: -5) { nodes { id } }", PAGE),
        ("products(first: 1000000000) { nodes { id } }", PAGE + 100),
        ("products(first: 99999999999999999999) { nodes { id } }", PAGE + 100),
        ('products(first: "a") { nodes { id } }', PAGE + 100),
        ("products(first: null) { nodes { id } }", PAGE + 20),
        ("products(last: 3) { nodes { id } }", PAGE + 3),
        ("products(first: null, last: 3) { nodes { id } }", PAGE + 3),
        ("products(first: 2, last: 3) { nodes { id } }", PAGE + 3),
        ("products(first: null, last: null) { nodes { id } }", PAGE + 20),
        ("products(first: 3) { facets { price { min { amount } } } }", SEARCH + FACETS + 3),
        ('searchSuggestions(query: "a") { text }', SUGGESTIONS + 8),
        ('searchSuggestions(query: "a", first: 2) { text }', SUGGESTIONS + 2),
        ('nodes(ids: ["a", "b", "c"]) { id }', 1 + 3),
        ("viewer { role @include(if: false) language @skip(if: true) }", 3),
        ("viewer { ... { role } ... on Viewer { language } }", 3),
        ("viewer { nothing { at { all } } }", 4),
        ("nothing(first: 5) { nodes { id } }", 3),
        ("__typename", 1),
    ],
)
def test_a_field_counts_for_each_row_it_stands_in(selection: str, expected: float) -> None:
    assert cost_of(f"{{ {selection} }}") == expected
    assert cost_of(f"{{ ...f }} fragment f on Query {{ {selection} }}") == expected


@pytest.mark.parametrize(
    ("variables", "rows"),
    [
        ({}, 4),
        ({"n": None}, 20),
        ({"n": 7}, 7),
        ({"n": 7.0}, 100),
        ({"n": 10**30}, 100),
        ({"n": -3}, 0),
        ({"n": "7"}, 100),
        ({"n": {"a": 1}}, 100),
        ({"n": True}, 1),
    ],
)
def test_a_variable_counts_what_it_asks_for_and_else_its_default(
    variables: dict[str, Any], rows: int
) -> None:
    document = "query ($n: Int! = 4) { products(first: $n) { nodes { id } } }"
    assert cost_of(document, **variables) == PAGE + rows
    assert cost_of(document.replace(" = 4", ""), **variables) == PAGE + (rows if variables else 20)


@pytest.mark.parametrize(
    ("variables", "rows"),
    [({}, 20), ({"last": 7}, 7), ({"first": 7, "last": None}, 7), ({"first": 7, "last": 9}, 9)],
)
def test_a_list_that_is_read_from_either_end_counts_what_is_asked_for(
    variables: dict[str, Any], rows: int
) -> None:
    document = "query ($first: Int, $last: Int) { products(first: $first, last: $last) { nodes { id } } }"

    assert cost_of(document, **variables) == PAGE + rows


def test_a_list_in_a_variable_counts_as_long_as_it_is() -> None:
    document = 'query ($ids: [ID!]! = ["a", "b"]) { nodes(ids: $ids) { id } }'

    assert [cost_of(document, None, **given) for given in ({}, {"ids": ["a"] * 5}, {"ids": ["a"] * 100})] == [
        1 + 2,
        1 + 5,
        1 + 100,
    ]


def test_a_list_of_more_ids_than_its_field_takes_is_refused_before_an_entry_is_read() -> None:
    with pytest.raises(OperationRefused, match=r"The operation has more than 100 entries in \$ids\."):
        cost_of("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=["a"] * 101)


def test_a_fragment_counts_for_the_page_it_stands_in() -> None:
    document = """
        query A { products(first: 2) { ...p } }
        query B($n: Int!) { products(first: $n) { ...p } }
        fragment p on ProductConnection { nodes { ...i } }
        fragment i on Product { id }
    """
    assert [cost_of(document, "A"), cost_of(document, "B", n=5), cost_of(document, "B", n=6)] == [
        PAGE + 2,
        PAGE + 5,
        PAGE + 6,
    ]


def test_an_alias_of_an_expensive_field_counts_the_price_again() -> None:
    sign_in = 'sessionCreate(input: { login: "a", password: "b" }) { session { accessToken } }'
    view = 'productView(input: { id: "a" }) { product { id } }'

    assert cost_of(f"mutation {{ {sign_in} }}") == ARGON2 + 2
    assert cost_of(f"mutation {{ a: {sign_in} b: {sign_in} c: {view} }}") == 2 * (ARGON2 + 2) + COMMAND + 2


def test_a_dear_field_that_is_used_again_and_again_counts_ten_times_as_much() -> None:
    lists = [f"a{n}: products(first: 1) {{ totalCount }}" for n in range(5)]
    each = SEARCH + COUNT

    assert cost_of(f"{{ {' '.join(lists[:3])} }}") == 3 * each
    assert cost_of(f"{{ {' '.join(lists)} }}") == 5 * each + 2 * 9 * SEARCH
    two = f"query A {{ {' '.join(lists[:3])} }} query B {{ {' '.join(lists[:3])} }}"
    assert [cost_of(two, "A"), cost_of(two, "B")] == [3 * each, 3 * each]


def test_a_cost_beyond_all_numbers_is_still_told_as_one() -> None:
    fragments = " ".join(
        f"fragment f{n} on Category {{ children {{ id }} ...f{n + 1} ...f{n + 1} }}" for n in range(49)
    )
    deep = "{ categories { " + "children { " * 17 + "id" + " }" * 17 + " } }"

    assert cost_of(deep) == 10**15
    assert cost_of(f"{{ categories {{ ...f0 }} }} {fragments}") == 10**15


def test_an_introspection_is_possible_where_the_schema_is_shown() -> None:
    everything = get_introspection_query(
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
        experimental_directive_deprecation=True,
        one_of=True,
    )
    name = "IntrospectionQuery"
    limit = Settings.from_environment(env_file=None, secret_key="x" * 32).costs.guest.operation
    usual, whole = cost_of(get_introspection_query(), name), cost_of(everything, name)
    assert limit / 2 < usual < whole < limit  # one, but not two in one document


@strawberry.type
class Numbers:
    all: list[int]


@strawberry.type
class NumbersQuery:
    numbers: Numbers


def test_a_list_of_unknown_size_is_found_when_the_schema_is_made() -> None:
    with pytest.raises(SizeMissing, match=r"Numbers\.all is a list without `first`: declare its size"):
        collect_prices(strawberry.Schema(NumbersQuery)._schema)
