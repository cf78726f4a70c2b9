"""Attempts and certificates end by themselves, and holders are told what becomes of theirs."""

from domain.cause import Cause
from domain.training import (
    ask_for_renewal,
    end_overdue_attempt,
    end_overdue_certificate,
    select_due_notices,
    select_ended,
    select_overdue_attempts,
    select_renewals,
    tell_holder,
)
from events.types import Resources, Timer


async def end_attempt(resources: Resources, attempt_id: int) -> None:
    async with resources.database.writes.begin() as session:
        await end_overdue_attempt(session, attempt_id, now=resources.clock())


async def ask_again(resources: Resources, certificate_id: int) -> None:
    async with resources.database.writes.begin() as session:
        await ask_for_renewal(session, certificate_id, cause=Cause(resources.clock()))


async def end_certificate_in_time(resources: Resources, certificate_id: int) -> None:
    async with resources.database.writes.begin() as session:
        await end_overdue_certificate(session, certificate_id, now=resources.clock())


async def tell_one(resources: Resources, certificate_id: int) -> None:
    locale = resources.settings.locale
    async with resources.database.writes.begin() as session:
        await tell_holder(
            session,
            certificate_id,
            zone=locale.zone,
            default_language=locale.default_language,
            now=resources.clock(),
        )


TRAINING = (
    Timer("training.attempt_ended", due=select_overdue_attempts, act=end_attempt),
    Timer("training.renewal_asked", due=select_renewals, act=ask_again),
    Timer("training.certificate_ended", due=select_ended, act=end_certificate_in_time),
    Timer("training.holder_notified", due=select_due_notices, act=tell_one),
)
"""What of courses falls due, in the order in which one follows from the other."""
