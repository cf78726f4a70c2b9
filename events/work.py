"""THE TABLE of what gives the staff something to do."""

from collections.abc import Mapping

from sqlalchemy import ColumnElement, or_

from models import Event, Role

WORK: Mapping[str, frozenset[Role]] = {
    "order.confirmed": frozenset({Role.WAREHOUSE}),
    "ticket.opened": frozenset({Role.SUPPORT}),
    "ticket.reapplied": frozenset({Role.SUPPORT}),
    "ticket.message": frozenset({Role.SUPPORT}),
    "ticket.return_shipped": frozenset({Role.SUPPORT, Role.WAREHOUSE}),
    "ticket.escalated": frozenset(),
    "refund.failed": frozenset({Role.SUPPORT}),
}
"""Event -> whose work it is; managers and admins see all of it."""

BOSSES = frozenset({Role.MANAGER, Role.ADMIN})


def gives_work(event: Event) -> bool:
    return event.name in WORK and (event.name != "ticket.message" or event.actor_id == event.account_id)


def work_of(role: Role) -> ColumnElement[bool]:
    """The events that are something to do for a role; a message of the staff's own is none."""
    names = [name for name, roles in WORK.items() if role in roles | BOSSES]
    return Event.name.in_(names) & or_(Event.name != "ticket.message", Event.actor_id == Event.account_id)
