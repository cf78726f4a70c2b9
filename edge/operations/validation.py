"""Whether the shop would execute an operation of a client application."""

from graphql import GraphQLSyntaxError, parse, specified_rules, validate

from edge.operations.documents import ClientOperation
from schema.shop import ShopSchema


def find_problems(schema: ShopSchema, operation: ClientOperation) -> list[str]:
    """Return what is wrong with an operation; nothing when the shop would execute it."""
    try:
        document = parse(operation.text)
    except GraphQLSyntaxError as error:
        return [error.message]
    return [error.message for error in validate(schema._schema, document, specified_rules)]
