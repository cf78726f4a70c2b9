"""Subscriptions to events of many things: a viewer's own, and the staff's work queue."""

from datetime import datetime

import strawberry

import models
from resolvers import subscriptions as resolve
from resolvers.descriptions import describe_enum
from resolvers.guard import Permission
from schema.limits.sizes import FEW
from schema.node import Node
from schema.rows import batched, field, row_type, subscription

WorkChange = describe_enum(resolve.WorkChange)
WorkQueue = describe_enum(resolve.WorkQueue)


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


@row_type(resolve.WorkQueueCount)
class WorkQueueCount:
    """How many tickets wait in a queue."""

    queue: resolve.WorkQueue
    """The queue."""
    count: int
    """How many tickets."""


@row_type(resolve.QueueItem)
class WorkItem:
    """A new task for the staff, or a change of one."""

    name: str
    """What happened, such as "ticket.opened"."""
    change: resolve.WorkChange
    """What it says about the queue."""
    subject: Node | None = batched(resolve.subjects)
    counts: list[WorkQueueCount] | None = batched(resolve.counts, size=FEW)
    occurred_at: datetime
    """When the shop recorded it; of what was there or is due soon, when it is sent."""


@strawberry.type
class WorkQueueQuery:
    work_queue_counts: list[WorkQueueCount] = field(
        resolve.work_queue_counts, allow=Permission.WORK_VIEW, size=FEW
    )


@strawberry.type
class FeedSubscription:
    viewer_updates: ViewerUpdate = subscription(resolve.viewer_updates, allow=Permission.BUY)
    work_queue: WorkItem = subscription(resolve.work_queue, allow=Permission.WORK_VIEW)
