"""The ticket report as files: tables for spreadsheets, and charts."""

from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum

from geo.drawing.chart import Chart, ChartLine, Scale, draw_bars_chart, draw_lines_chart
from loaders.analytics.tickets import AGE_LIMITS, load_backlog, load_open_by_agent
from models import RefundDimension, TicketStatus
from models.counted_days import BEST
from resolvers.analytics.tickets import (
    RefundRate,
    TicketReport,
    TicketWeek,
    find_refund_rates,
    list_agents,
)
from resolvers.context import Info
from resolvers.map_texts import MapReader
from text.csv_cells import write_csv
from text.messages import Message, choose_language

BARS_LIMIT = 12
MINUTE_STEPS, HOUR_STEPS = (1, 2, 5, 10, 15), (1, 2, 3, 6)
"""By how many of them the lines of an axis of times may be apart; of days by any round number."""


class TicketReportPart(StrEnum):
    """A table of the ticket report."""

    WEEKS = "WEEKS"
    """The figures of each week."""
    REASONS = "REASONS"
    """Refunds by reason."""
    PRODUCTS = "PRODUCTS"
    """Refunds by product."""
    WAREHOUSES = "WAREHOUSES"
    """Refunds by warehouse."""
    CARRIERS = "CARRIERS"
    """Refunds by carrier."""
    BACKLOG = "BACKLOG"
    """Open tickets by state and age."""
    AGENTS = "AGENTS"
    """Who has the tickets."""


class TicketChart(StrEnum):
    """A drawing of a part of the ticket report."""

    FIRST_ANSWER = "FIRST_ANSWER"
    """Times until the first answer, by week."""
    RESOLUTION = "RESOLUTION"
    """Times until tickets were resolved, by week."""
    SATISFACTION = "SATISFACTION"
    """The average rating, by week."""
    REASONS = "REASONS"
    """Refunded units by reason."""
    PRODUCTS = "PRODUCTS"
    """Refunded units by product."""
    BACKLOG = "BACKLOG"
    """Open tickets by state."""


REFUND_PARTS = {
    TicketReportPart.REASONS: RefundDimension.REASON,
    TicketReportPart.PRODUCTS: RefundDimension.PRODUCT,
    TicketReportPart.WAREHOUSES: RefundDimension.WAREHOUSE,
    TicketReportPart.CARRIERS: RefundDimension.CARRIER,
}
WEEK_COLUMNS = (
    "first",
    "last",
    "opened",
    "resolved",
    "reopened",
    "reopen_rate",
    "answered",
    "first_answer_median_seconds",
    "first_answer_ninetieth_seconds",
    "settled",
    "resolution_median_seconds",
    "resolution_ninetieth_seconds",
    "asked",
    "rated",
    "average_rating",
)
REFUND_COLUMNS = ("key", "name", "refunded_units", "sent_units", "rate", "amounts")
BACKLOG_COLUMNS = (
    "status",
    *(f"younger_than_{limit.days}_days" for limit in AGE_LIMITS),
    "older",
    "total",
)
AGENT_COLUMNS = ("name", "open_now", "tickets", "resolved", "reopen_rate", "rated", "average_rating")


async def ticket_csv(reports: Sequence[TicketReport], info: Info, part: TicketReportPart) -> Sequence[str]:
    """A table of it as a CSV file. No text in it begins as a formula does.

    part: which table
    """
    return [await write_part(report, info, part) for report in reports]


async def write_part(report: TicketReport, info: Info, part: TicketReportPart) -> str:
    if part is TicketReportPart.WEEKS:
        return write_csv(WEEK_COLUMNS, map(week_row, report.weeks))
    if part is TicketReportPart.BACKLOG:
        backlog = await load_backlog(info.context.shop.database.reads, info.context.now)
        rows = [[line.status.value, *map(str, line.counts), str(sum(line.counts))] for line in backlog]
        return write_csv(BACKLOG_COLUMNS, rows)
    if part is TicketReportPart.AGENTS:
        return write_csv(AGENT_COLUMNS, await agent_rows(report, info))
    rates = await find_refund_rates(report, info, REFUND_PARTS[part])
    return write_csv(REFUND_COLUMNS, await refund_rows(rates, info))


def write_number(number: float | None) -> str:
    return "" if number is None else str(number)


def week_row(week: TicketWeek) -> Sequence[str]:
    figures = week.figures
    answer, resolution, satisfaction = figures.first_answer, figures.resolution, figures.satisfaction
    numbers = [
        figures.opened,
        figures.resolved,
        figures.reopened,
        figures.reopen_rate,
        answer.count,
        answer.median,
        answer.ninetieth,
        resolution.count,
        resolution.median,
        resolution.ninetieth,
        satisfaction.asked,
        satisfaction.rated,
        satisfaction.average,
    ]
    return [week.first.isoformat(), week.last.isoformat(), *map(write_number, numbers)]


async def refund_rows(rates: Sequence[RefundRate], info: Info) -> Sequence[Sequence[str]]:
    names = await name_rates(rates, info)
    return [
        [
            rate.key,
            name,
            str(rate.refunded),
            str(rate.sent),
            write_number(rate.rate),
            " ".join(f"{money.amount} {money.currency}" for money in rate.amounts),
        ]
        for rate, name in zip(rates, names, strict=True)
    ]


async def name_rates(rates: Sequence[RefundRate], info: Info) -> Sequence[str]:
    """What people call each reason, product, warehouse or carrier."""
    load, viewer = info.context.load, info.context.viewer_of(info)
    products = [rate.product_id for rate in rates if rate.product_id]
    warehouses = [rate.warehouse_id for rate in rates if rate.warehouse_id]
    names = {
        **{
            ("product", row.id): viewer.translate(row.translations, "title", row.title)
            for row in await load.product.load_many(products)
            if row
        },
        **{("warehouse", row.id): row.name for row in await load.warehouse.load_many(warehouses) if row},
    }
    return [
        MapReader.of(viewer).fact(rate.reason)
        if rate.reason
        else names.get(("product", rate.product_id or 0))
        or names.get(("warehouse", rate.warehouse_id or 0))
        or rate.key
        for rate in rates
    ]


async def agent_rows(report: TicketReport, info: Info) -> Sequence[Sequence[str]]:
    agents = list_agents(report, await load_open_by_agent(info.context.shop.database.reads))
    accounts = await info.context.load.account.load_many([agent.agent_id for agent in agents])
    return [
        [
            account.name if account else "",
            str(agent.open_now),
            str(agent.tickets),
            str(agent.resolved),
            write_number(agent.reopen_rate),
            str(agent.rated),
            write_number(agent.average_rating),
        ]
        for agent, account in zip(agents, accounts, strict=True)
    ]


async def ticket_chart(reports: Sequence[TicketReport], info: Info, of: TicketChart) -> Sequence[str]:
    """A drawing of it as SVG, with the same in words for who does not see it.

    of: what it shows
    """
    return [await draw_chart(report, info, of) for report in reports]


async def draw_chart(report: TicketReport, info: Info, of: TicketChart) -> str:
    reader = MapReader.of(info.context.viewer_of(info))
    match of:
        case TicketChart.FIRST_ANSWER:
            title = Message("Time until the first answer, by week")
            answers = [week.figures.first_answer for week in report.weeks]
            return draw_times(report, reader, title, [(each.median, each.ninetieth) for each in answers])
        case TicketChart.RESOLUTION:
            title = Message("Time until tickets are resolved, by week")
            ends = [week.figures.resolution for week in report.weeks]
            return draw_times(report, reader, title, [(each.median, each.ninetieth) for each in ends])
        case TicketChart.SATISFACTION:
            return draw_satisfaction(report, reader)
        case TicketChart.BACKLOG:
            return await draw_backlog(info, reader)
        case TicketChart.REASONS | TicketChart.PRODUCTS:
            by_reason = of is TicketChart.REASONS
            by = RefundDimension.REASON if by_reason else RefundDimension.PRODUCT
            rates = (await find_refund_rates(report, info, by))[:BARS_LIMIT]
            title = Message("Refunded units by reason") if by_reason else Message("Refunded units by product")
            labels = await name_rates(rates, info)
            return draw_bars(reader, title, labels, [rate.refunded for rate in rates])


def draw_times(
    report: TicketReport,
    reader: MapReader,
    title: Message,
    times: Sequence[tuple[int | None, int | None]],
) -> str:
    return draw_lines_chart(
        Chart(
            title=reader.text(title),
            language=choose_language(reader.language),
            labels=[reader.fact(week.first) for week in report.weeks],
            short_labels=shorten_days([week.first for week in report.weeks], reader),
            series=[
                ChartLine(reader.text(Message("half of them within")), [half for half, _ in times]),
                ChartLine(reader.text(Message("nine of ten within")), [most for _, most in times]),
            ],
            write_value=lambda seconds: reader.fact(timedelta(seconds=round(seconds))),
            empty=reader.text(Message("Nothing is known of these days.")),
            scales=[
                Scale(lambda count: reader.units(count, "minute"), 60, MINUTE_STEPS),
                Scale(lambda count: reader.units(count, "hour"), 3_600, HOUR_STEPS),
                Scale(lambda count: reader.units(count, "day"), 86_400),
            ],
        )
    )


def shorten_days(days: Sequence[date], reader: MapReader) -> Sequence[str]:
    """The days without their year where it is the same of all."""
    in_one_year = len({day.year for day in days}) == 1
    return [reader.day_of_year(day) if in_one_year else reader.fact(day) for day in days]


def draw_satisfaction(report: TicketReport, reader: MapReader) -> str:
    averages = [week.figures.satisfaction.average for week in report.weeks]
    return draw_lines_chart(
        Chart(
            title=reader.text(Message("How customers rate their tickets, from 1 to 5")),
            language=choose_language(reader.language),
            labels=[reader.fact(week.first) for week in report.weeks],
            short_labels=shorten_days([week.first for week in report.weeks], reader),
            series=[ChartLine(reader.text(Message("average")), averages)],
            write_value=lambda rating: f"{rating:.2f}",
            scales=[Scale(str, steps=(1,))],
            highest=BEST,
            empty=reader.text(Message("Nothing is known of these days.")),
        )
    )


async def draw_backlog(info: Info, reader: MapReader) -> str:
    lines = await load_backlog(info.context.shop.database.reads, info.context.now)
    labels = [name_status(line.status, reader) for line in lines]
    return draw_bars(reader, Message("Open tickets by state"), labels, [sum(line.counts) for line in lines])


def name_status(status: TicketStatus, reader: MapReader) -> str:
    return reader.fact(status)


def draw_bars(reader: MapReader, title: Message, labels: Sequence[str], counts: Sequence[int]) -> str:
    return draw_bars_chart(
        Chart(
            title=reader.text(title),
            language=choose_language(reader.language),
            labels=labels,
            series=[ChartLine("", counts)],
            write_value=lambda count: reader.fact(round(count)),
            empty=reader.text(Message("Nothing is known of these days.")),
        )
    )
