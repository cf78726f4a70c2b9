"""What `migrate` fills in rows, in batches, which may be repeated: a migration changes tables, not rows."""

import structlog

from domain.account.stored_emails import normalize_stored_emails
from domain.aftersales.stored_answers import fill_stored_answers
from domain.delivery_run.stored_positions import forget_stored_positions
from domain.payment.stored_statuses import correct_stored_statuses
from domain.shipment.stored_marks import mark_unsent_orders
from edge.commands.ticket_days import count_tickets
from events.shop import Shop

log = structlog.get_logger()


async def fill_rows(shop: Shop) -> int:
    """Normalize e-mail addresses, correct statuses of orders, forget positions of couriers, fill in when
    tickets were answered; the exit code."""
    await normalize_emails(shop)
    await correct_statuses(shop)
    await mark_unsent(shop)
    await forget_courier_positions(shop)
    await fill_answers(shop)
    return 0


async def normalize_emails(shop: Shop) -> None:
    """Normalize the addresses of all accounts; those that must stay as they are are logged."""
    after: int | None = 0
    while after is not None:
        async with shop.database.writes.begin() as session:
            batch = await normalize_stored_emails(session, after)
        for account_id in batch.kept:
            log.warning("account.email_kept", account=account_id)
        after = batch.last


async def correct_statuses(shop: Shop) -> None:
    """Correct the payment statuses of orders that were cancelled before anything was paid."""
    last: int | None = 0
    while last is not None:
        async with shop.database.writes.begin() as session:
            last = await correct_stored_statuses(session, last)


async def mark_unsent(shop: Shop) -> None:
    """Mark the orders of which only downloads are delivered yet."""
    last: int | None = 0
    while last is not None:
        async with shop.database.writes.begin() as session:
            last = await mark_unsent_orders(session, last)


async def forget_courier_positions(shop: Shop) -> None:
    """Forget where couriers were in tracking events of runs whose positions are forgotten."""
    last: int | None = 0
    while last is not None:
        async with shop.database.writes.begin() as session:
            last = await forget_stored_positions(session, last)


async def fill_answers(shop: Shop) -> None:
    """Fill in when tickets were answered and resolved, and count the days that nobody has counted."""
    last: int | None = 0
    while last is not None:
        async with shop.database.writes.begin() as session:
            last = await fill_stored_answers(session, last)
    await count_tickets(shop, anew=False)
