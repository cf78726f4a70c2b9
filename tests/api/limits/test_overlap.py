"""Fields of one response name are merged or refused as graphql-core does it, in linear time."""

from random import Random

import pytest
from graphql import GraphQLError, build_schema, parse, validate
from graphql.validation import OverlappingFieldsCanBeMergedRule

from schema.limits.overlap import VISITS_LIMIT, MergeableFieldsRule
from schema.limits.refusals import OperationRefused

SCHEMA = build_schema("""
    interface Thing { id: ID! name: String one(n: Int, of: Filter): Thing many: [Thing!]! size: Int }
    type Cup implements Thing {
      id: ID! name: String one(n: Int, of: Filter): Thing many: [Thing!]! size: Int text: String! number: Int
    }
    type Pot implements Thing {
      id: ID! name: String one(n: Int, of: Filter): Thing many: [Thing!]! size: Int text: Int number: Int!
    }
    union Either = Cup | Pot
    input Filter { a: Int b: [Int] }
    type Query { thing: Thing cup: Cup pot: Pot either: Either }
""")


def is_refused(text: str, rule: type[MergeableFieldsRule | OverlappingFieldsCanBeMergedRule]) -> bool:
    return bool(validate(SCHEMA, parse(text), [rule]))


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("{ cup { a: name a: name } }", False),
        ("{ cup { a: name a: id } }", True),
        ("{ thing { ... on Cup { a: name } ... on Pot { a: size } } }", True),
        ("{ thing { ... on Cup { a: name } ... on Pot { a: name } } }", False),
        ("{ thing { ... on Cup { x: number } ... on Pot { x: size } } }", False),
        ("{ thing { ... on Cup { text } ... on Pot { text } } }", True),
        ("{ thing { ... on Cup { a: name } a: id } }", True),
        ("{ thing { one(n: 1) { id } one(n: 1) { name } } }", False),
        ("{ thing { one(n: 1) { id } one(n: 2) { name } } }", True),
        ("{ thing { one { id } one(n: 2) { name } } }", True),
        ("{ thing { one(of: { a: 1, b: [1] }) { id } one(of: { b: [1], a: 1 }) { id } } }", False),
        ("{ thing { one(of: { b: [1, 2] }) { id } one(of: { b: [2, 1] }) { id } } }", True),
        ("query ($a: Int, $b: Int) { thing { one(n: $a) { id } one(n: $b) { id } } }", True),
        ("{ thing { one { a: id } one { a: name } } }", True),
        ("{ thing { ... on Cup { one { a: id } } ... on Pot { one { a: name } } } }", True),
        ("{ thing { ... on Cup { one { a: name } } ... on Pot { one { a: name } } } }", False),
        ("{ thing { ...f } } fragment f on Thing { a: id ...g } fragment g on Thing { a: name ...f }", True),
        ("{ thing { x: one { id } x: many { id } } }", True),
        ("{ cup { nothing nothing } }", False),
    ],
)
def test_fields_that_mean_different_things_are_refused(text: str, refused: bool) -> None:
    assert is_refused(text, MergeableFieldsRule) is refused
    assert is_refused(text, OverlappingFieldsCanBeMergedRule) is refused


FIELDS = ["id", "name", "size", "a: id", "a: name", "b: size", "b: number", "text", "c: number", "a: size"]
OBJECTS = ["one", "one(n: 1)", "many", "x: one", "x: one(n: 2)", "x: many"]
TYPES = ["Thing", "Cup", "Pot"]


def random_selection(random: Random, depth: int) -> str:
    parts = [random.choice(FIELDS) for _ in range(random.randint(1, 2))]
    if depth:
        for _ in range(random.randint(0, 2)):
            kind = random.random()
            below = random_selection(random, depth - 1)
            if kind < 0.5:
                parts.append(f"{random.choice(OBJECTS)} {{ {below} }}")
            elif kind < 0.8:
                parts.append(f"... on {random.choice(TYPES)} {{ {below} }}")
            else:
                parts.append(f"...f{random.randrange(3)}")
    return " ".join(parts)


def random_document(random: Random) -> str:
    fragments = " ".join(
        f"fragment f{n} on {random.choice(TYPES)} {{ {random_selection(random, 2)} }}" for n in range(3)
    )
    return f"{{ thing {{ {random_selection(random, 3)} }} }} {fragments}"


def test_the_rule_agrees_with_that_of_graphql_core_on_many_documents() -> None:
    random = Random(20261128)
    documents = [random_document(random) for _ in range(400)]
    spread_everywhere = " fragment all on Thing { ...f0 ...f1 ...f2 }"

    verdicts = []
    for document in documents:
        text = document.replace("{ thing {", "{ thing { ...all } thing {", 1) + spread_everywhere
        verdicts.append(is_refused(text, MergeableFieldsRule))
        assert verdicts[-1] is is_refused(text, OverlappingFieldsCanBeMergedRule), text
        without_fragments = document.split(" fragment ")[0]
        if "...f" not in without_fragments:
            verdicts.append(is_refused(without_fragments, MergeableFieldsRule))
            assert verdicts[-1] is is_refused(without_fragments, OverlappingFieldsCanBeMergedRule), (
                without_fragments
            )

    assert 50 < verdicts.count(True) < len(verdicts) - 50


def test_fragments_that_are_merged_in_ever_new_ways_are_refused() -> None:
    random = Random(1)
    fragments = [
        f"fragment f{n} on Thing {{ a: one {{ ...f{a} }} b: one {{ ...f{b} }} }}"
        for n, a, b in ((n, random.randrange(40), random.randrange(40)) for n in range(40))
    ]
    text = f"{{ thing {{ ...f0 ...f1 ...f2 ...f3 ...f4 }} }} {' '.join(fragments)}"

    with pytest.raises(OperationRefused, match=f"{VISITS_LIMIT:,}"):
        validate(SCHEMA, parse(text), [MergeableFieldsRule])


def test_the_error_names_field_and_reason() -> None:
    [error] = validate(SCHEMA, parse("{ cup { a: name a: id } }"), [MergeableFieldsRule])

    assert isinstance(error, GraphQLError)
    assert error.message == (
        "Fields 'a' conflict because 'name' and 'id' are different fields. "
        "Use different aliases on the fields to fetch both if this was intentional."
    )
