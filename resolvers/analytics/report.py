"""The product report; each part of it is computed only when a client asks for it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, TypeVar

import strawberry

from domain.errors import Invalid, LimitReached, NotFound
from loaders.analytics import (
    DateRange,
    DeadStock,
    Figures,
    FunnelStep,
    Grouping,
    IntervalFigures,
    ReportInterval,
    ReportMeasure,
    ReportSelection,
    load_figures,
    load_figures_over_time,
    load_funnel,
    select_by_measure,
    select_dead_stock,
    split_days,
)
from loaders.page import FIRST_PAGE, PAGE_LIMIT, Page, PageRequest
from models import Category, Product, Variant
from resolvers.catalog import look_up_category
from resolvers.context import Info
from resolvers.ids import parse_id, row_id
from resolvers.inputs.analytics import ReportFilter
from resolvers.paging import query_page

DAYS_LIMIT = 1_830
"""Five years."""

EARLIEST, LATEST = date(2000, 1, 1), date(2999, 12, 30)
INTERVALS_LIMIT = 400

UNSOLD_DAYS = 90

LineScope = tuple[ReportSelection, Grouping]


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One line of a report: a product, a category with everything below it, or all products (id 0)."""

    selection: ReportSelection
    grouping: Grouping
    id: int
    subject: Product | Category | None = None

    @property
    def scope(self) -> LineScope:
        return self.selection, self.grouping

    @property
    def product(self) -> Product | None:
        return self.subject if isinstance(self.subject, Product) else None

    @property
    def category(self) -> Category | None:
        return self.subject if isinstance(self.subject, Category) else None

    @property
    def first(self) -> date:
        return self.selection.days.first

    @property
    def last(self) -> date:
        return self.selection.days.last

    @property
    def time_zone(self) -> str:
        return self.selection.zone.key


L = TypeVar("L", bound=ReportLine)


class ProductReport(ReportLine):
    """The line about all products, from which the others are reached."""


class ProductLine(ReportLine):
    pass


class CategoryLine(ReportLine):
    pass


async def product_report(
    info: Info,
    first_day: Annotated[date, strawberry.argument(name="from")],
    last_day: Annotated[date, strawberry.argument(name="to")],
    filter: ReportFilter | None = None,
) -> ProductReport:
    """Figures of products, from views to returns, without cancelled orders.

    first_day: the first day, in the shop's time zone
    last_day: the last day; it is included
    filter: which products; all when left out
    """
    days = report_days(first_day, last_day)
    report_filter = filter or ReportFilter()
    category = await find_filter_category(info, report_filter.category)
    selection = ReportSelection(
        days,
        info.context.shop.settings.locale.zone,
        category.path if category else None,
        category.id if category else None,
        filter_product_ids(report_filter),
    )
    return ProductReport(selection, Grouping.ALL, 0)


def report_days(first_day: date, last_day: date) -> DateRange:
    """The days of a report; refuses those that end before they begin, or are too many."""
    if last_day < first_day:
        raise Invalid("The report ends before it begins.", field=("to",))
    days = DateRange(first_day, last_day)
    if len(days) > DAYS_LIMIT or first_day < EARLIEST or last_day > LATEST:
        raise LimitReached("At most {limit} days of this millennium.", limit=DAYS_LIMIT, field=("to",))
    return days


async def find_filter_category(info: Info, name: str | None) -> Category | None:
    """The category a filter names by its global id or slug; raises NotFound."""
    if name is None:
        return None
    category = await look_up_category(info, name, by_slug=parse_id(name) is None)
    if category is None:
        raise NotFound("category", field=("filter", "category"))
    return category


def filter_product_ids(report_filter: ReportFilter) -> tuple[int, ...] | None:
    """The row ids of the products a filter names; None for all. Raises LimitReached and NotFound."""
    if report_filter.product_ids is None:
        return None
    if len(report_filter.product_ids) > PAGE_LIMIT:
        raise LimitReached(
            "At most {limit} products at once.", limit=PAGE_LIMIT, field=("filter", "product_ids")
        )
    return tuple(
        row_id(each, "Product", field=("filter", "product_ids")) for each in report_filter.product_ids
    )


async def report_figures(lines: Sequence[ReportLine], info: Info) -> Sequence[Figures]:
    """The figures over all days."""
    reads = info.context.shop.database.reads
    found = {
        scope: await load_figures(reads, *scope, [line.id for line in some])
        for scope, some in group_lines(lines).items()
    }
    return [found[line.scope][line.id] for line in lines]


async def report_over_time(
    lines: Sequence[ReportLine], info: Info, interval: ReportInterval
) -> Sequence[Sequence[IntervalFigures]]:
    """The figures over time.

    interval: the length of the intervals
    """
    if any(len(split_days(line.selection.days, interval)) > INTERVALS_LIMIT for line in lines):
        raise LimitReached(
            "A report has at most {limit} intervals.", limit=INTERVALS_LIMIT, field=("interval",)
        )
    reads = info.context.shop.database.reads
    found = {
        scope: await load_figures_over_time(reads, *scope, [line.id for line in some], interval)
        for scope, some in group_lines(lines).items()
    }
    return [found[line.scope][line.id] for line in lines]


def group_lines(lines: Sequence[ReportLine]) -> Mapping[LineScope, Sequence[ReportLine]]:
    """The lines by selection and grouping: those of one group are summed up together."""
    found: defaultdict[LineScope, list[ReportLine]] = defaultdict(list)
    for line in lines:
        found[line.scope].append(line)
    return found


async def report_funnel(reports: Sequence[ProductReport], info: Info) -> Sequence[Sequence[FunnelStep]]:
    """The sales funnel: how many views led to cart additions, orders, payments and completed orders."""
    return [await load_funnel(info.context.shop.database.reads, report.selection) for report in reports]


async def report_products(
    reports: Sequence[ProductReport],
    info: Info,
    sort: ReportMeasure = ReportMeasure.UNITS,
    ascending: bool = False,
    page: PageRequest = FIRST_PAGE,
) -> Sequence[Page[ProductLine]]:
    """The figures of each product.

    sort: the figure to sort by
    ascending: true for the lowest figure first
    """
    return [
        await load_lines(info, report, Grouping.PRODUCT, ProductLine, sort, ascending, page)
        for report in reports
    ]


async def report_categories(
    reports: Sequence[ProductReport],
    info: Info,
    sort: ReportMeasure = ReportMeasure.UNITS,
    ascending: bool = False,
    page: PageRequest = FIRST_PAGE,
) -> Sequence[Page[CategoryLine]]:
    """The figures of the categories right below the filtered one, or of the roots, with all below them.

    sort: the figure to sort by
    ascending: true for the lowest figure first
    """
    return [
        await load_lines(info, report, Grouping.CATEGORY, CategoryLine, sort, ascending, page)
        for report in reports
    ]


async def load_lines(
    info: Info,
    report: ProductReport,
    grouping: Grouping,
    line_type: type[L],
    measure: ReportMeasure,
    ascending: bool,
    page: PageRequest,
) -> Page[L]:
    statement, sort = select_by_measure(
        report.selection, grouping, measure, ascending=ascending, currency=info.context.viewer.currency
    )

    def shape(subject: Product | Category) -> L:
        return line_type(report.selection, grouping, subject.id, subject)

    return await query_page(info, statement, sort, page, shape=shape)


async def report_dead_stock(
    reports: Sequence[ProductReport],
    info: Info,
    unsold_days: int = UNSOLD_DAYS,
    page: PageRequest = FIRST_PAGE,
) -> Sequence[Page[DeadStock]]:
    """Variants in stock that nobody has ordered recently, the most valuable first; as of now.

    unsold_days: for how many days nobody has ordered them
    """
    if not 1 <= unsold_days <= DAYS_LIMIT:
        raise Invalid("From 1 to {limit} days.", limit=DAYS_LIMIT, field=("unsold_days",))
    now, currency = info.context.now, info.context.viewer.currency

    def shape(variant: Variant, on_hand: int, amount: int | None, last_sold_at: datetime | None) -> DeadStock:
        return DeadStock(variant, on_hand, amount, last_sold_at, currency, now)

    pages = []
    for report in reports:
        unsold_since = now - timedelta(days=unsold_days)
        statement, sort = select_dead_stock(report.selection, currency=currency, unsold_since=unsold_since)
        pages.append(await query_page(info, statement, sort, page, shape=shape))
    return pages
