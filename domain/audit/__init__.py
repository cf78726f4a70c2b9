"""The audit: rules that compare the books with each other, one statement each; the rows it finds are wrong.

The database compares, so memory does not grow with the number of orders. All that is compared must be of one
moment: call it with a session of `Database.snapshot`.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.audit import (
    agreement,
    arrivals,
    articles,
    bonuses,
    cash,
    credit,
    delivery_runs,
    ends,
    fulfilment,
    money,
    orders,
    packing,
    parcels,
    personal_data,
    places,
    promotions,
    provider_books,
    pushes,
    return_parcels,
    returns,
    shipment_tasks,
    stock,
    ticket_days,
    ticket_figures,
    tickets,
    training,
    waybills,
)
from models.sql.types import AnySelect


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A row whose value differs from what follows from the other books."""

    rule: str
    row: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.row}: expected {self.expected}, found {self.found}"


RULES: Mapping[str, Callable[[], AnySelect]] = {
    "a posting balances": money.find_unbalanced_postings,
    "captured as posted": money.find_wrong_captures,
    "money of attempts is known": money.find_unknown_money,
    "refunds as requested": money.find_wrong_refund_requests,
    "refunded as posted": money.find_wrong_refunds,
    "a refund on its way is asked after": money.find_forgotten_refunds,
    "refunds into store credit are paid": money.find_stuck_refunds,
    "fees as posted": provider_books.find_wrong_fees,
    "fees of disputes as posted": provider_books.find_wrong_dispute_fees,
    "disputes as posted": provider_books.find_wrong_disputes,
    "disputed as reported": provider_books.find_wrong_disputed_amounts,
    "open disputes as posted": provider_books.find_wrong_open_disputes,
    "total was invoiced": money.find_wrong_invoices,
    "sold is the total less what goes back": money.find_wrong_sales,
    "payment status as the books say": money.find_wrong_payment_statuses,
    "subtotal is the lines": orders.find_wrong_subtotals,
    "discount is that of the lines": orders.find_wrong_discounts,
    "shipping is the fees": orders.find_wrong_shipping,
    "total is the payments": orders.find_wrong_payments,
    "cancelled came off or went back": orders.find_wrong_cancellations,
    "versions without a gap": orders.find_version_gaps,
    "lines are what is sent": orders.find_wrong_delivery_lines,
    "packed as in parcels": fulfilment.find_wrong_packed_units,
    "scanned no more than is to be packed": packing.find_overscanned_lines,
    "packed as scanned": packing.find_wrong_closed_parcels,
    "waves end with their parts": packing.find_wrong_waves,
    "fulfilment as the parcels say": fulfilment.find_wrong_fulfilments,
    "ready to be collected as the parcels say": fulfilment.find_wrong_pickup_marks,
    "sent as the parcels say": fulfilment.find_wrong_sent_marks,
    "parcels are of deliveries of their order": parcels.find_foreign_deliveries,
    "parcels that were sent have a number": parcels.find_unnumbered_parcels,
    "parcels are where it was reported": parcels.find_unreported_statuses,
    "parcels have arrived when it was reported": parcels.find_wrong_arrivals,
    "parcels under way are asked about": parcels.find_unasked_parcels,
    "pushes of carriers are folded": pushes.find_forgotten_pushes,
    "tasks are of parcels that are late or silent": shipment_tasks.find_useless_tasks,
    "late and silent parcels have tasks": shipment_tasks.find_missing_tasks,
    "waybills that wait are called about": waybills.find_forgotten_waybills,
    "waybills that were asked for are answered": waybills.find_unanswered_waybills,
    "live waybills are of parcels that need them": waybills.find_useless_waybills,
    "waybills go along on live ones": waybills.find_wrong_children,
    "what carriers collect is fixed for their parcels": waybills.find_wrong_asked_cash,
    "places say from whom they are known": places.find_wrong_coordinates,
    "windows end after they begin": places.find_wrong_windows,
    "estimates are within their range": arrivals.find_wrong_ranges,
    "nothing is expected of parcels that have ended": arrivals.find_useless_estimates,
    "statistics of lanes weigh no more than their parcels": arrivals.find_wrong_lane_statistics,
    "no ticket open on ended orders": ends.find_open_tickets,
    "no units to pack on ended orders": ends.find_units_to_pack,
    "no parcel under way on ended orders": ends.find_parcels_under_way,
    "no refund open on ended orders": ends.find_open_refunds,
    "no money due on ended orders": ends.find_money_due,
    "no edit waiting on ended orders": ends.find_waiting_edits,
    "nothing to collect of ended orders": ends.find_waiting_pickups,
    "no payment open on cancelled orders": ends.find_open_payments,
    "no promotion used by cancelled orders": ends.find_unreleased_promotions,
    "completed orders have arrived": ends.find_completed_on_the_way,
    "receipt of what has arrived is due": ends.find_forgotten_receipts,
    "nothing owed on completed orders": ends.find_unsettled_balances,
    "tickets bring back what is refunded": money.find_wrong_ticket_refunds,
    "nothing reserved for ended orders": ends.find_reserved_stock,
    "cash of parcels is that of their order": ends.find_wrong_cash,
    "cash due is brought by parcels": ends.find_uncollectable_cash,
    "claimed no more than was sent": orders.find_overclaimed_parcels,
    "tickets are about units of parcels": tickets.find_wrong_ticket_units,
    "nothing is due of tickets that have ended": tickets.find_waiting_ended_tickets,
    "lines of tickets bring back no more than tickets": tickets.find_wrong_ticket_lines,
    "lines of tickets are of their orders": tickets.find_foreign_lines,
    "returns are inspected to the last unit": tickets.find_wrong_inspections,
    "what is accepted of returns is granted": tickets.find_wrong_verdicts,
    "only what was refused goes back, for nothing": tickets.find_wrong_deliveries_back,
    "what is accepted of returns is in the stock": returns.find_unbooked_returns,
    "returns are where it was reported": return_parcels.find_unreported_returns,
    "returns under way are asked about": return_parcels.find_unasked_returns,
    "returns that are followed are waited for": return_parcels.find_unawaited_returns,
    "collections that are booked are followed": return_parcels.find_unfollowed_collections,
    "tickets say when their returns have arrived": return_parcels.find_unrecorded_arrivals,
    "reductions were refunded": tickets.find_wrong_reductions,
    "duplicates go on as tickets of their order": tickets.find_wrong_merges,
    "tickets are attended to before they are due": tickets.find_wrong_priorities,
    "questions are served in time": tickets.find_unserved_questions,
    "surcharges were paid": tickets.find_wrong_surcharges,
    "differences are what is paid for them": tickets.find_wrong_differences,
    "repairs end before their tickets go on": tickets.find_wrong_repairs,
    "paid differences are sent": tickets.find_unsent_differences,
    "tickets wait for what is to be paid": tickets.find_unpaid_tickets,
    "tickets were answered as recorded": ticket_figures.find_wrong_first_answers,
    "tickets came back as recorded": ticket_figures.find_wrong_reopens,
    "days of tickets as counted": ticket_days.find_wrong_days,
    "times of days as counted": ticket_days.find_wrong_times,
    "agents of days as counted": ticket_days.find_wrong_agents,
    "refunds of days as counted": ticket_days.find_wrong_refund_days,
    "units sent on days as counted": ticket_days.find_wrong_sent_days,
    "rules give no more in a day than they may": agreement.find_excessive_days,
    "rules agree to no more tickets in a day than they may": agreement.find_crowded_days,
    "rules give no more for an order than for a ticket": agreement.find_split_orders,
    "rules decide by active versions": agreement.find_wrong_decisions,
    "what is overdue waits for the shop": agreement.find_useless_overdue_marks,
    "what waits for the shop falls due": agreement.find_forgotten_deadlines,
    "on hand as moved": stock.find_wrong_on_hand,
    "reserved as moved": stock.find_wrong_reserved,
    "damaged as moved": stock.find_wrong_damaged,
    "backordered as moved": stock.find_wrong_backordered,
    "backordered as ordered": stock.find_wrong_backorders,
    "backordered no more than is to be packed": stock.find_excessive_backorders,
    "moved where there is a level": stock.find_movements_without_level,
    "shipped as parcels have left": stock.find_wrong_shipped_units,
    "reserved as ordered": stock.find_wrong_reservations,
    "store credit as posted": credit.find_wrong_credit_postings,
    "store credit as paid and refunded": credit.find_wrong_credit_movements,
    "bonuses come with their refunds": bonuses.find_wrong_bonuses,
    "no more of a bonus is taken back than came": bonuses.find_wrong_revoked_bonuses,
    "bonuses as posted": bonuses.find_wrong_bonus_postings,
    "bonuses are no more than was promised": bonuses.find_excessive_bonuses,
    "tickets bring the bonus they say": bonuses.find_wrong_ticket_bonuses,
    "bonuses of an order are within its cap": bonuses.find_excessive_order_bonuses,
    "no store credit below zero": credit.find_overdrawn_credit,
    "gift cards as posted": credit.find_wrong_gift_cards,
    "cash in hand as posted": cash.find_wrong_movements,
    "no cash in nobody's hands": cash.find_cash_of_nobody,
    "cash in the hands of who has brought the parcels": cash.find_cash_of_others,
    "runs with cash in hand as moved": cash.find_wrong_holdings,
    "counts of cash as posted": cash.find_wrong_counts,
    "corrections are of the same cash": cash.find_wrong_corrections,
    "differences of cash as accepted": cash.find_wrong_differences,
    "runs have couriers, or are drafts that end": delivery_runs.find_wrong_couriers,
    "nothing waits on runs that have ended": delivery_runs.find_open_stops_of_ended_runs,
    "parcels of runs under way have left": delivery_runs.find_parcels_left_behind,
    "runs have couriers who may drive, or are tasks": delivery_runs.find_runs_without_driver,
    "stops end as their parcels": delivery_runs.find_stops_unlike_parcels,
    "positions of couriers are forgotten everywhere": delivery_runs.find_kept_positions,
    "proofs and positions of what was driven": delivery_runs.find_wrong_proofs,
    "promotions give what orders save": promotions.find_wrong_savings,
    "promotions used as counted": promotions.find_wrong_use_counts,
    "promotions of a customer as counted": promotions.find_wrong_buyer_counts,
    "flash sales sold as counted": promotions.find_wrong_flash_sales,
    "certificates are of passed attempts": training.find_unearned_certificates,
    "passed attempts brought certificates": training.find_missing_certificates,
    "credit is what answers give": training.find_wrong_credits,
    "scores are what credit gives": training.find_wrong_scores,
    "no certificate of withdrawn courses counts": training.find_counting_of_withdrawn_courses,
    "attempts and certificates end in time": training.find_overdue,
    "what has changed is asked again": training.find_unasked_renewals,
    "articles show their published version": articles.find_wrong_texts,
    "versions of articles without a gap": articles.find_version_gaps,
    "drafts are newer than what is published": articles.find_wrong_drafts,
    "published articles were published": articles.find_wrong_statuses,
    "one translation into each language": articles.find_wrong_translations,
    "articles have helped as rated": articles.find_wrong_ratings,
    "articles save tickets of those who read them": articles.find_wrong_days,
    "readings are counted and forgotten": articles.find_uncounted_reads,
    "nothing personal of erased accounts": personal_data.find_personal_data_left,
}


async def audit_books(session: AsyncSession) -> list[Disagreement]:
    """All disagreements; an empty list when the books agree."""
    return [each async for each in find_disagreements(session)]


async def find_first_disagreement(session: AsyncSession) -> Disagreement | None:
    """The first disagreement; the rules after it are not evaluated. None when the books agree."""
    for rule in RULES:
        found = (await session.execute(build_rule_query(rule, limit=1))).first()
        if found is not None:
            return Disagreement(rule, *map(str, found))
    return None


async def find_disagreements(
    session: AsyncSession, rules: Iterable[str] = RULES
) -> AsyncIterator[Disagreement]:
    """All disagreements, rule by rule and in the order of their rows, streamed from the database."""
    for rule in rules:
        async for found in await session.stream(build_rule_query(rule)):
            yield Disagreement(rule, *map(str, found))


@cache
def build_rule_query(rule: str, *, limit: int | None = None) -> AnySelect:
    """The wrong rows of a rule, sorted."""
    # MATERIALIZED: wrong rows are rare, but PostgreSQL estimates that `!=` is nearly always true, and with a
    # LIMIT would search for the first one row by row.
    rows = RULES[rule]().cte("wrong").prefix_with("MATERIALIZED")
    return select(rows.c.row, rows.c.expected, rows.c.found).order_by(rows.c.row).limit(limit)
