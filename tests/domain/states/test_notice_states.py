"""What may happen to a notice, in every state it can be in."""

from collections.abc import Mapping

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.notice import (
    ATTEMPTS_LIMIT,
    NoticeDraft,
    discard_notice,
    mark_notice_sent,
    note_failed_attempt,
    queue_notice,
)
from events.shop import Shop
from models import Notice, NoticeChannel, NoticeKind, NoticeStatus
from tests.domain.states.outcomes import Command, check_outcomes, documented_outcomes
from tests.factories.order import NOW

DRAFT = NoticeDraft("key", NoticeKind.PASSWORD_CHANGED, NoticeChannel.EMAIL, "mei@example.com")


async def notice_in_state(session: AsyncSession, state: str) -> Notice:
    await queue_notice(session, DRAFT, now=NOW)
    notice = (await session.scalars(select(Notice))).one()
    notice.status = NoticeStatus(state)
    if notice.status is not NoticeStatus.PENDING:
        notice.due_at = None
    await session.flush()
    return notice


async def fail_at_last(session: AsyncSession, notice: Notice) -> None:
    notice.attempts = ATTEMPTS_LIMIT
    await session.flush()
    await note_failed_attempt(session, notice.id, failure="HTTP 500", now=NOW, final=False)


NOTICE: Mapping[str, Command] = {
    "the gateway takes it": lambda session, it: mark_notice_sent(session, it.id, now=NOW),
    "the gateway does not answer": lambda session, it: note_failed_attempt(
        session, it.id, failure="HTTP 500", now=NOW, final=False
    ),
    "the gateway refuses it": lambda session, it: note_failed_attempt(
        session, it.id, failure="HTTP 400", now=NOW, final=True
    ),
    "the last attempt fails": fail_at_last,
    "nobody is there to read it": lambda session, it: discard_notice(session, it.id),
}


@pytest.mark.parametrize("state", documented_outcomes("Notices"))
async def test_what_may_happen_to_a_notice(shop: Shop, state: str) -> None:
    await check_outcomes(shop, "Notices", state, notice_in_state, NOTICE)


def test_every_status_of_a_notice_is_drawn() -> None:
    assert set(documented_outcomes("Notices")) == {status.value for status in NoticeStatus}
