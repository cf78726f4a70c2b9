"""Goods of tickets that come back to the shop: who carries them, how they were found, and their repair."""

from datetime import datetime

import models
from resolvers import aftersales as resolve
from resolvers.descriptions import describe_enum
from schema.account import Account
from schema.order import OrderLine
from schema.rows import batched, field, loaded, row_type

ReturnCondition = describe_enum(models.ReturnCondition)
RepairOutcome = describe_enum(models.RepairOutcome)


@row_type(resolve.ReturnCarrier)
class ReturnCarrier:
    """Who can carry a return, for customers."""

    code: models.CarrierCode
    """By what `ticketReturnShip` names it."""
    name: str
    """The name people use."""
    collects: bool = field(resolve.collects)


@row_type(models.ReturnInspection)
class ReturnInspection:
    """Units of a ticket that came back in one condition, or did not."""

    order_line: OrderLine = loaded("order_line", key="order_line_id")
    """What was bought."""
    condition: models.ReturnCondition
    """How they were found."""
    quantity: int
    """How many units."""
    accepted: bool
    """Whether the shop keeps them and grants what was asked for."""
    customers_fault: bool
    """Whether the customer has caused what is wrong with them."""
    note: str
    """What was said about them; may be empty."""
    inspected_at: datetime
    """When they were inspected."""
    inspected_by: Account | None = batched(resolve.inspectors)
    current: bool
    """False where the same units came back once more and were inspected anew."""


@row_type(models.TicketRepair)
class TicketRepair:
    """How a repair has ended."""

    outcome: models.RepairOutcome
    """Whether it was possible."""
    note: str
    """What was said about it; may be empty."""
    finished_at: datetime
    """When it ended."""
