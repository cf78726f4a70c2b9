"""Lists of tickets read indexes, however many have ended."""

from sqlalchemy import select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.assignment import is_needed
from loaders.aftersales import TicketCriteria, select_tickets
from models import Ticket


async def test_what_somebody_has_and_what_waits_for_an_answer_have_their_indexes(
    session: AsyncSession,
) -> None:
    if session.get_bind().dialect.name == "sqlite":
        return
    newest = Ticket.id.desc()
    found = {
        "ix_tickets_assignee_id": select(Ticket).where(Ticket.assignee_id == 1, is_needed()),
        "ix_tickets_unanswered": select_tickets(TicketCriteria(unanswered=True)).order_by(newest).limit(20),
        "ix_tickets_overdue": select_tickets(TicketCriteria(overdue=True)).order_by(newest).limit(20),
    }
    # tables of a test are so small that they would be read whole
    await session.execute(text("SET LOCAL enable_seqscan = off"))
    plans = {}
    for index, statement in found.items():
        compiled = statement.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
        lines = await session.scalars(text(f"EXPLAIN {compiled}".replace(":", "\\:")))
        plans[index] = "\n".join(lines.all())

    assert [index for index, plan in plans.items() if f"using {index}" not in plan] == []
    assert [index for index, plan in plans.items() if "Sort" in plan] == []
