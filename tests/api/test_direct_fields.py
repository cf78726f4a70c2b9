"""Values of rows are answered without detours, and exactly as any other field."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import SimpleNamespace

import pytest
import strawberry
from graphql import GraphQLObjectType, GraphQLSchema

from models import CurrencyCode
from resolvers.context import Viewer
from resolvers.execution import Execution
from schema import schema
from schema.direct_fields import direct_field_of, prepare_direct_fields
from schema.executor import CountingExecutor


@strawberry.enum
class Size(StrEnum):
    SMALL = "S"


@strawberry.type
class Cup:
    name: str
    size: Size
    weight: int | None
    price: int

    @strawberry.field
    def label(self) -> str:
        return f"A cup, {self.name}"


@strawberry.type
class CupQuery:
    @strawberry.field
    def cup(self) -> Cup:
        return Cup(name="blue", size=Size.SMALL, weight=None, price=5)

    @strawberry.field
    def broken(self) -> Cup | None:
        return Cup(name="red", size=Size.SMALL, weight=1, price=None)  # type: ignore[arg-type]

    @strawberry.field
    def empty(self) -> Cup | None:
        return SimpleNamespace(size="?")  # type: ignore[return-value]


def answer(text: str, prepare: Callable[[GraphQLSchema], None]) -> Mapping[str, object]:
    cups = strawberry.Schema(CupQuery, execution_context_class=CountingExecutor)
    prepare(cups._schema)
    viewer = Viewer(language="en", currency=CurrencyCode.CNY)
    context = SimpleNamespace(execution=Execution(), viewer_below=lambda path: viewer)
    result = cups.execute_sync(text, context_value=context)
    errors = [(error.message, error.path) for error in result.errors or ()]
    return {"data": result.data, "errors": errors, "size": context.execution.answer_size}


@pytest.mark.parametrize(
    "text",
    [
        "{ cup { name size weight price again: name __typename label } }",
        "{ cup { name } broken { name price } }",
        "{ cup { weight } empty { size } }",
        "{ cup { name } empty { name } }",
    ],
)
def test_a_direct_field_answers_and_fails_as_in_the_general_way(text: str) -> None:
    assert answer(text, prepare_direct_fields) == answer(text, lambda cups: None)


@pytest.mark.parametrize(
    ("type_name", "field"),
    [("Product", "slug"), ("Product", "title"), ("Product", "id"), ("Money", "amount")],
)
def test_a_value_of_a_row_is_read_directly(type_name: str, field: str) -> None:
    declared = schema._schema.type_map[type_name]
    assert isinstance(declared, GraphQLObjectType)
    assert direct_field_of(declared, field) is not None


def test_fields_of_the_roots_are_not_read_directly() -> None:
    for root in (schema._schema.query_type, schema._schema.mutation_type):
        assert root is not None
        assert not any(direct_field_of(root, name) for name in root.fields)
