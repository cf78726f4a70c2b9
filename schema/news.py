"""What is new, for those who watch more than one thing."""

from datetime import datetime

import strawberry

import models
from resolvers import news as resolve
from resolvers.guard import CUSTOMERS, STAFF
from schema.node import Node
from schema.rows import batched, row_type, subscription


@row_type(models.Event)
class ViewerUpdate:
    """Something that has just happened to a thing of the viewer's."""

    name: str
    """What happened, such as "order.confirmed"."""
    subject: Node | None = batched(resolve.subjects)
    version: int
    """The version of the subject this made."""
    occurred_at: datetime
    """When the shop recorded it."""


@row_type(models.Event)
class WorkItem:
    """Something to do that has just turned up."""

    name: str
    """What happened, such as "ticket.opened"."""
    subject: Node | None = batched(resolve.subjects)
    occurred_at: datetime
    """When the shop recorded it."""


@strawberry.type
class NewsSubscription:
    viewer_updates: ViewerUpdate = subscription(resolve.viewer_updates, allow=CUSTOMERS)
    work_queue: WorkItem = subscription(resolve.work_queue, allow=STAFF)
