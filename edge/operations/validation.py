"""Whether the shop would execute an operation of a client application."""

from graphql import GraphQLError

from edge.operations.documents import ClientOperation
from schema.shop import ShopSchema


def find_problems(schema: ShopSchema, operation: ClientOperation, *, cost_limit: int) -> list[str]:
    """Return what is wrong with an operation; nothing when it is valid and within all limits.

    Its cost is that with the defaults of its variables; `cost_limit` is the highest limit of any viewer.
    """
    try:
        document = schema.documents.read(operation.text)
        errors = schema.documents.validate(operation.text, document, suggest=True)
    except GraphQLError as error:  # no GraphQL, or beyond a limit of structure
        return [error.message]
    cost = max(weight.cost(None) for weight in document.operations.values())
    if not errors and cost > cost_limit:
        return [f"It costs {cost:,}, and nobody may spend more than {cost_limit:,} on one operation."]
    return [error.message for error in errors]
