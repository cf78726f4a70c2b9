"""Cash that couriers have in hand, hand in, and others count."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

import models
from resolvers import cash as resolve
from resolvers.guard import Permission
from schema.account import Account
from schema.connection import Connection
from schema.mutation import mutation
from schema.node import Node
from schema.rows import field, loaded, row_type
from schema.scalars import Money

if TYPE_CHECKING:
    from schema.delivery_run import DeliveryRun


@row_type(models.CashHandIn)
class CashHandIn(Node):
    """What was counted of the cash of a delivery run; it stays, a mistake is corrected by a further one."""

    delivery_run: Annotated["DeliveryRun", strawberry.lazy("schema.delivery_run")] = loaded(
        "delivery_run", key="delivery_run_id"
    )
    """The run on which it was collected."""
    expected: Money
    """What was collected and not handed in before."""
    counted: Money
    """What was counted."""
    difference: Money
    """What is missing when negative, too much when positive."""
    reason: str | None = field(resolve.count_reason)
    corrects: "CashHandIn | None" = loaded("cash_hand_in", key="corrects_id")
    """The earlier count that this one replaces."""
    received_by: Account | None = loaded("account", key="received_by")
    """Who has counted it; null for what was handed in before the shop recorded counts."""
    received_at: datetime
    """When it was counted."""
    resolved_by: Account | None = loaded("account", key="resolved_by")
    """Who has accepted the difference or corrected the count; null where nothing differed."""
    resolved_at: datetime | None
    """When the difference was accepted or corrected, at once where there is none; null while it is open."""
    resolution: str | None = field(resolve.count_resolution)


@strawberry.type
class CashQuery:
    cash_hand_ins: Connection[CashHandIn] = field(resolve.cash_hand_ins, allow=Permission.CASH_RECEIVE)


@strawberry.type
class CashMutation:
    cash_hand_in = mutation(resolve.cash_hand_in, returns=CashHandIn, allow=Permission.CASH_RECEIVE)
    cash_hand_in_correct = mutation(
        resolve.cash_hand_in_correct, returns=CashHandIn, allow=Permission.CASH_RECEIVE
    )
    cash_difference_accept = mutation(
        resolve.cash_difference_accept, returns=CashHandIn, allow=Permission.CASH_WRITE_OFF
    )
