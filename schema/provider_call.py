"""Calls to payment providers."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

import models
from resolvers import provider_call as resolve
from resolvers.descriptions import describe_enum
from schema.account import Account
from schema.rows import batched, loaded, row_type

if TYPE_CHECKING:
    from schema.payment import PaymentAttempt, Refund

ProviderCallKind = describe_enum(models.ProviderCallKind)
ProviderCallOutcome = describe_enum(models.ProviderCallOutcome)

LaterAttempt = Annotated["PaymentAttempt", strawberry.lazy("schema.payment")]
LaterRefund = Annotated["Refund", strawberry.lazy("schema.payment")]


@row_type(models.ProviderCall)
class ProviderCall:
    """A call to a payment provider, or something it told by itself; several alike in a row are one."""

    method: models.PaymentMethod
    """Whose provider it was."""
    kind: models.ProviderCallKind
    """What it was asked, or that it told something by itself."""
    outcome: models.ProviderCallOutcome
    """Whether it answered."""
    answer: str | None
    """What it answered, for programs, such as "WAITING"; null without an answer."""
    reason: str | None
    """What it gave as the reason, or why there is no answer; without keys and addresses."""
    called_at: datetime
    """When the first of them ended."""
    last_called_at: datetime
    """When the last of them ended."""
    times: int
    """How many alike there were in a row."""
    milliseconds: int
    """How long the longest of them took; 0 for what it told by itself."""
    actor: Account | None = batched(resolve.call_actors)
    attempt: LaterAttempt | None = loaded("payment_attempt", key="attempt_id")
    """The attempt to pay that it was about; null where it was about a refund."""
    refund: LaterRefund | None = loaded("refund", key="refund_id")
    """The refund that it was about; null where it was about an attempt."""
