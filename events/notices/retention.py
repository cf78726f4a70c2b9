"""Verifications, notices and readings are deleted when they are of no use any more: all are about people."""

from domain.account.verification import (
    delete_verifications,
    is_expired_verification,
    select_expired_verifications,
)
from domain.notice import delete_old_notice, select_old_notices
from domain.personal_data.readings import delete_readings, select_expired_readings
from events.types import Resources, Timer
from models import Verification


async def delete_verification(resources: Resources, verification_id: int) -> None:
    async with resources.database.writes.begin() as session:
        expired = is_expired_verification(resources.clock())
        await delete_verifications(session, (Verification.id == verification_id) & expired)


async def delete_notice(resources: Resources, notice_id: int) -> None:
    async with resources.database.writes.begin() as session:
        await delete_old_notice(session, notice_id, now=resources.clock())


EXPIRED_VERIFICATIONS = Timer(
    "verifications.expired", due=select_expired_verifications, act=delete_verification
)


async def delete_reading(resources: Resources, reading_id: int) -> None:
    async with resources.database.writes.begin() as session:
        await delete_readings(session, reading_id, now=resources.clock())


EXPIRED_READINGS = Timer("readings.expired", due=select_expired_readings, act=delete_reading)
OLD_NOTICES = Timer("notices.old", due=select_old_notices, act=delete_notice)
