"""What statements of payment providers say otherwise than the shop's books."""

from datetime import datetime

import strawberry

import models
from resolvers import statement as resolve
from resolvers.descriptions import describe_enum
from resolvers.guard import Permission
from schema.account import Account
from schema.connection import Connection
from schema.mutation import mutation
from schema.node import Node
from schema.order import Order
from schema.rows import field, loaded, row_type

StatementKind = describe_enum(models.StatementKind)
DifferenceKind = describe_enum(models.DifferenceKind)


@row_type(models.StatementDifference)
class StatementDifference(Node):
    """A task: a provider's statement says something else than the shop's books."""

    method: models.PaymentMethod
    """The payment method of the provider."""
    subject: models.StatementKind
    """What it is about."""
    kind: models.DifferenceKind
    """How they differ."""
    reference: str
    """The name of the attempt, the refund or the dispute: the shop's, or the provider's where it has none."""
    expected: str
    """What the shop's books say."""
    found: str
    """What the statement says."""
    note: str
    """What has become of it."""
    created_at: datetime
    """When it was found first."""
    resolved_at: datetime | None
    """When it was resolved; null until then."""
    resolved_by: Account | None = loaded("account", key="resolved_by_id")
    """Who of the staff has resolved it; null where a later statement agreed."""
    order: Order | None = loaded("order", key="order_id")
    """The order; null where the shop knows none."""


@strawberry.type
class StatementQuery:
    statement_differences: Connection[StatementDifference] = field(
        resolve.statement_differences, allow=Permission.REFUND
    )


@strawberry.type
class StatementMutation:
    statement_difference_resolve = mutation(
        resolve.statement_difference_resolve, returns=StatementDifference, allow=Permission.REFUND
    )
