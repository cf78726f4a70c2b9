"""What each field of the schema counts for the cost of an operation, collected from where it is declared."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
    is_composite_type,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

from resolvers.paging import PAGE_DEFAULT
from schema.limits.sizes import LengthOf, PageRows

ROWS_LIMIT = 100.0
"""Rows that an argument can ask for; resolvers refuse more. What is no number counts as so many."""

PAGE_ARGUMENTS = ("first", "last")

INTROSPECTION_PRICE = 0.2
"""The price of a field of the introspection: it takes more, but no stranger may ask where it counts."""
ONE_TYPE_PRICE = 500.0
"""The price of a type that is asked for by itself: it may be the one with the most fields."""
INTROSPECTION_SIZES = {
    "__Schema.types": 395.0,
    "__Schema.directives": 6.0,
    "__Type.fields": 2.8,
    "__Type.interfaces": 0.07,
    "__Type.possibleTypes": 0.07,
    "__Type.enumValues": 0.66,
    "__Type.inputFields": 1.1,
    "__Type.ofType": 0.4,
    "__Field.args": 0.2,
    "__Directive.locations": 3.0,
    "__Directive.args": 2.0,
}
"""The mean over all types of our schema: most have only one of these lists, and few are wrapped twice."""
INTROSPECTION_PRICES = {
    "__Schema.queryType": ONE_TYPE_PRICE,
    "__Schema.mutationType": ONE_TYPE_PRICE,
    "__Schema.subscriptionType": ONE_TYPE_PRICE,
}
TYPE_LISTS = frozenset({"fields", "interfaces", "possibleTypes", "inputFields"})
"""Fields of `__Type` by which an introspection could go from type to type without end."""


@dataclass(frozen=True, slots=True)
class ArgumentRows:
    """As many rows as an argument says: a number, or the length of a list."""

    arguments: tuple[str, ...]
    default: float


Rows = float | ArgumentRows


@dataclass(frozen=True, slots=True)
class FieldPrice:
    """What one field counts: its price for itself, and the rows that all fields below it stand in."""

    price: float = 1.0
    rows: Rows = 1.0
    page: Rows | None = None
    """The rows of the lists below it that are declared as PAGE."""
    in_page: bool = False
    """Whether it is such a list."""
    type_name: str | None = None
    """The type of the fields below it."""
    lists_types: bool = False
    """Whether it is one of TYPE_LISTS of the introspection."""
    is_introspection: bool = False
    """Whether an introspection begins with it."""


UNKNOWN = FieldPrice()
"""A field that the schema does not have: validation refuses it later."""

PriceTable = Mapping[str, Mapping[str, FieldPrice]]
"""Type -> field -> what it counts."""


class SizeMissing(TypeError):
    """A list of the schema without an argument `first` for which no size is declared."""


def collect_prices(schema: GraphQLSchema) -> PriceTable:
    """The table of all types; raises SizeMissing for a list whose rows are not known."""
    types = [
        each
        for each in schema.type_map.values()
        if isinstance(each, (GraphQLObjectType, GraphQLInterfaceType))
    ]
    table = {
        each.name: {name: price_field(each.name, name, field) for name, field in each.fields.items()}
        for each in types
    }
    paged = {name for name, fields in table.items() if any(price.in_page for price in fields.values())}
    for type_name, fields in table.items():
        for name, price in fields.items():
            if price.type_name in paged:
                fields[name] = as_connection(f"{type_name}.{name}", price)
    if schema.query_type:
        table[schema.query_type.name] |= {
            "__schema": FieldPrice(INTROSPECTION_PRICE, type_name="__Schema", is_introspection=True),
            "__type": FieldPrice(ONE_TYPE_PRICE, type_name="__Type", is_introspection=True),
        }
    return table


def price_field(type_name: str, name: str, field: GraphQLField) -> FieldPrice:
    named = get_named_type(field.type)
    below = named.name if is_composite_type(named) else None
    if type_name.startswith("__"):
        return price_introspection(type_name, name, field, below)
    declared = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    metadata: Mapping[str, object] = declared.metadata if declared else {}
    size, price = metadata.get("size"), metadata.get("price")
    rows = rows_of(field, size)
    if is_list(field.type) and rows is None and not isinstance(size, PageRows):
        raise SizeMissing(f"{type_name}.{name} is a list without `first`: declare its size")
    return FieldPrice(
        price if isinstance(price, float | int) else 1.0,
        1.0 if rows is None else rows,
        in_page=isinstance(size, PageRows),
        type_name=below,
    )


def price_introspection(type_name: str, name: str, field: GraphQLField, below: str | None) -> FieldPrice:
    size = INTROSPECTION_SIZES.get(f"{type_name}.{name}")
    if size is None and is_list(field.type):
        raise SizeMissing(f"{type_name}.{name} is a list without a size in INTROSPECTION_SIZES")
    price = INTROSPECTION_PRICES.get(f"{type_name}.{name}", INTROSPECTION_PRICE)
    lists_types = type_name == "__Type" and name in TYPE_LISTS
    return FieldPrice(price, size or 1.0, type_name=below, lists_types=lists_types)


def rows_of(field: GraphQLField, size: object) -> Rows | None:
    """The rows that a declared size or the arguments of a field say; None when neither does."""
    if isinstance(size, int):
        return float(size)
    if isinstance(size, LengthOf):
        return ArgumentRows((size.argument,), ROWS_LIMIT)
    names = tuple(name for name in PAGE_ARGUMENTS if name in field.args)
    if not names:
        return None
    if names == PAGE_ARGUMENTS:
        return ArgumentRows(names, float(PAGE_DEFAULT))
    defaults = [field.args[name].default_value for name in names]
    return ArgumentRows(names, next((float(each) for each in defaults if isinstance(each, int)), ROWS_LIMIT))


def as_connection(name: str, price: FieldPrice) -> FieldPrice:
    """The price of a field whose rows are those of the lists PAGE below it."""
    if price.rows == 1.0:
        raise SizeMissing(f"{name} is a page without `first`: declare its size")
    return replace(price, rows=1.0, page=price.rows)


def is_list(type_: GraphQLOutputType) -> bool:
    return isinstance(type_.of_type if isinstance(type_, GraphQLNonNull) else type_, GraphQLList)
