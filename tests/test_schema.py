"""The schema is the committed one, is described, and fits the rows it shows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    build_schema,
)
from strawberry.types.base import get_object_definition

from loaders import Loaders
from schema import schema
from schema.rows import ROW_OF, Loaded

CONTRACT = Path(__file__).parents[1] / "schema.graphql"
PRINTED = schema.as_str()
BUILT = build_schema(PRINTED)
TYPES = [kind for name, kind in BUILT.type_map.items() if not name.startswith("__")]
ROW_TYPES = sorted(ROW_OF, key=lambda cls: cls.__name__)


def test_the_committed_contract_is_what_the_code_prints() -> None:
    assert CONTRACT.read_text(encoding="utf-8") == PRINTED + "\n", "run `make schema`"


def find_undescribed(kind: GraphQLNamedType) -> Iterator[str]:
    if not kind.description:
        yield kind.name
    if isinstance(kind, (GraphQLObjectType, GraphQLInterfaceType)):
        for name, field in kind.fields.items():
            if not field.description:
                yield f"{kind.name}.{name}"
            for argument, given in field.args.items():
                if not given.description:
                    yield f"{kind.name}.{name}({argument})"
    if isinstance(kind, GraphQLInputObjectType):
        yield from (f"{kind.name}.{name}" for name, field in kind.fields.items() if not field.description)
    if isinstance(kind, GraphQLEnumType):
        yield from (f"{kind.name}.{name}" for name, value in kind.values.items() if not value.description)


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.name)
def test_everything_is_described(kind: GraphQLNamedType) -> None:
    assert list(find_undescribed(kind)) == []


def strawberry_fields_of(cls: type) -> list[Any]:
    definition = get_object_definition(cls, strict=True)
    return list(definition.fields)


@pytest.mark.parametrize("cls", ROW_TYPES, ids=lambda cls: cls.__name__)
def test_plain_fields_are_attributes_of_the_row(cls: type) -> None:
    row = ROW_OF[cls]
    known = {*dir(row), *get_type_hints(row), *getattr(row, "__dataclass_fields__", {})}
    plain = [field.python_name for field in strawberry_fields_of(cls) if field.base_resolver is None]
    assert [name for name in plain if name not in known] == []


@pytest.mark.parametrize("cls", ROW_TYPES, ids=lambda cls: cls.__name__)
def test_relations_name_a_loader_and_an_attribute_of_the_row(cls: type) -> None:
    row = ROW_OF[cls]
    for field in strawberry_fields_of(cls):
        batch = field.metadata.get("batch")
        if isinstance(batch, Loaded):
            assert hasattr(Loaders, batch.loader), (field.python_name, batch.loader)
            assert batch.key in {*dir(row), *get_type_hints(row)}, (field.python_name, batch.key)


def classes_in(hint: Any) -> set[Any]:
    """The classes in a type hint such as `Sequence[models.Order]` or `models.Order | None`."""
    inner = get_args(hint)
    return set().union(*map(classes_in, inner)) if inner else {hint}


@pytest.mark.parametrize("cls", ROW_TYPES, ids=lambda cls: cls.__name__)
def test_resolvers_return_the_rows_of_the_type_they_fill(cls: type) -> None:
    for field in strawberry_fields_of(cls):
        shown = field.type
        while hasattr(shown, "of_type"):
            shown = shown.of_type
        batch = field.metadata.get("batch")
        function = getattr(batch, "function", None) or (
            field.base_resolver.wrapped_func if field.base_resolver and batch is None else None
        )
        if function is None or not isinstance(shown, type) or shown not in ROW_OF:
            continue
        returned = classes_in(get_type_hints(function).get("return"))
        assert ROW_OF[shown] in returned | {Any}, f"{cls.__name__}.{field.python_name}"


def test_money_is_never_a_float() -> None:
    floats = {
        f"{kind.name}.{name}"
        for kind in TYPES
        if isinstance(kind, (GraphQLObjectType, GraphQLInputObjectType))
        for name, field in kind.fields.items()
        if str(field.type).startswith("Float") and ("amount" in name.lower() or "price" in name.lower())
    }
    assert floats == set()


def test_every_mutation_takes_one_input_and_answers_with_a_payload() -> None:
    mutation = BUILT.mutation_type
    assert mutation
    for name, field in mutation.fields.items():
        payload = BUILT.type_map[f"{name[0].upper()}{name[1:]}Payload"]
        assert str(field.type) == f"{payload.name}!", name
        assert set(field.args) <= {"input"}, name
        assert isinstance(payload, GraphQLObjectType)
        assert str(payload.fields["userErrors"].type) == "[UserError!]!"
        things = [
            str(shown.type) for shown_name, shown in payload.fields.items() if shown_name != "userErrors"
        ]
        assert all(not shown.endswith("!") for shown in things), f"{name}: a refused thing is null"
