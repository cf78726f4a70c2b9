"""Subscriptions to events of many things: a viewer's own, and the staff's work queue."""

from datetime import datetime

import strawberry

import models
from resolvers import subscriptions as resolve
from resolvers.guard import Permission
from schema.node import Node
from schema.rows import batched, row_type, subscription


@row_type(models.Event)
class ViewerUpdate:
    """Something that has just happened to what is the viewer's own."""

    name: str
    """What happened, such as "order.confirmed"."""
    subject: Node | None = batched(resolve.subjects)
    version: int
    """The version that the subject has since."""
    occurred_at: datetime
    """When the shop recorded it."""


@row_type(models.Event)
class WorkItem:
    """A new task for the staff."""

    name: str
    """What happened, such as "ticket.opened"."""
    subject: Node | None = batched(resolve.subjects)
    occurred_at: datetime
    """When the shop recorded it."""


@strawberry.type
class FeedSubscription:
    viewer_updates: ViewerUpdate = subscription(resolve.viewer_updates, allow=Permission.BUY)
    work_queue: WorkItem = subscription(resolve.work_queue, allow=Permission.WORK_VIEW)
