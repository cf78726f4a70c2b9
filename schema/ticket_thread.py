"""The messages of tickets, and the texts that agents answer with."""

from datetime import datetime

import strawberry

import models
from resolvers import aftersales as resolve
from resolvers.guard import Permission
from schema.account import Account
from schema.catalog import Media
from schema.limits.sizes import FEW, MANY
from schema.mutation import mutation
from schema.node import Node
from schema.rows import batched, field, loaded, row_type


@row_type(models.TicketMessage)
class TicketMessage(Node):
    """A message of a customer or of the staff about a ticket."""

    author: Account = loaded("account", key="author_id")
    """Who wrote it."""
    from_staff: bool = batched(resolve.from_staff)
    body: str
    """Its text."""
    internal: bool
    """Whether only the staff can read it."""
    media: list[Media] = batched(resolve.message_media, size=FEW)
    mentions: list[Account] = batched(resolve.mentions, size=FEW)
    read: bool = batched(resolve.read)
    created_at: datetime
    """When it was written."""


@row_type(models.CannedAnswer)
class CannedAnswer(Node):
    """A text that agents answer with, in one language."""

    code: str
    """What it is known by, the same in all languages."""
    language: str
    """The language it is in."""
    title: str
    """What agents choose it by."""
    body: str
    """The text, with {agent}, {customer}, {due}, {order}, {refund} and {ticket} for facts of a ticket."""
    version: int
    """One higher with each change; pass it back when you save."""
    updated_at: datetime
    """When it was last changed."""
    archived_at: datetime | None
    """When it was archived; null while it is offered."""


@strawberry.type
class TicketThreadQuery:
    canned_answers: list[CannedAnswer] = field(
        resolve.canned_answers, allow=Permission.TICKET_HANDLE, size=MANY
    )
    canned_answer_text: str | None = field(resolve.canned_answer_text, allow=Permission.TICKET_HANDLE)


@strawberry.type
class TicketThreadMutation:
    canned_answer_save = mutation(
        resolve.canned_answer_save, returns=CannedAnswer, allow=Permission.TICKET_HANDLE
    )
    canned_answer_archive = mutation(
        resolve.canned_answer_archive, returns=CannedAnswer, allow=Permission.TICKET_HANDLE
    )
