"""Erased accounts against everything personal that could be left of them."""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, String, and_, cast, exists, false, func, literal, or_, select, union_all
from sqlalchemy.orm import aliased

from domain.audit.comparison import select_rows
from domain.personal_data.erasure import OWN_TABLES, is_event_of, texts_by_event
from domain.personal_data.inventory import PERSONAL_TABLES, PersonalTable
from models import STAFF, Account, ArchivedEvent, Base, Event
from models.sql.types import AnySelect

OWNER = aliased(Account)


def find_personal_data_left() -> AnySelect:
    """Erased accounts with a row that should be deleted, or a personal column that is not empty, by table."""
    rows = union_all(*find_left_by_table()).subquery()
    # one row for each account: the first of its tables
    return select(
        rows.c.row, func.min(rows.c.expected).label("expected"), func.min(rows.c.found).label("found")
    ).group_by(rows.c.row)


def find_left_by_table() -> Iterator[AnySelect]:
    for model, table in PERSONAL_TABLES.items():
        if table.deleted or table.erased:
            left = and_(table.belongs(OWNER.id), is_left(model, table))
            own = model in OWN_TABLES
            yield select_left(model.__tablename__, exists().select_from(model).where(left), own=own)
    for events in (Event, ArchivedEvent):
        left = and_(is_event_of(events, OWNER.id), has_text(events))
        yield select_left(events.__tablename__, exists().select_from(events).where(left), own=False)


def select_left(table_name: str, is_found: ColumnElement[bool], *, own: bool) -> AnySelect:
    """Erased accounts, of the staff only with `own`, for which something is found in a table."""
    label = literal("account ") + cast(OWNER.id, String)
    wrong = select_rows(label, expected=literal("nothing"), found=literal(table_name))
    wrong = wrong.select_from(OWNER).where(OWNER.erased_at.is_not(None), is_found)
    return wrong if own else wrong.where(OWNER.role.not_in(STAFF))


def is_left(model: type[Base], table: PersonalTable) -> ColumnElement[bool]:
    """Whether a row that belongs to an erased account is still personal."""
    if table.deleted:
        return literal(1) == 1
    columns = ((model.__table__.c[name], value) for name, value in table.erased.items())
    return or_(
        false(), *(column.is_not(None) if value is None else column != value for column, value in columns)
    )


def has_text(events: type[Event] | type[ArchivedEvent]) -> ColumnElement[bool]:
    """Whether an event holds what somebody wrote."""
    return or_(
        *(
            and_(
                events.name == name, or_(*(events.payload[text].as_string() != "" for text in sorted(texts)))
            )
            for name, texts in texts_by_event().items()
        )
    )
