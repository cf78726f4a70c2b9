"""What sells: each part of a report is worked out only when somebody asks for it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any

import strawberry

from domain.errors import Invalid, LimitReached, NotFound
from loaders.insight import (
    Days,
    DeadStock,
    Figures,
    FunnelStep,
    Grouping,
    Part,
    ReportInterval,
    ReportMeasure,
    Selection,
    dead_stock,
    figures_of,
    funnel,
    parts,
    parts_of,
    ranked,
)
from loaders.page import PAGE_DEFAULT, PAGE_LIMIT, Page
from models import Category, Product
from resolvers.catalog import named_category
from resolvers.context import Info
from resolvers.ids import parse_id, row_id
from resolvers.inputs.insight import ReportFilter
from resolvers.paging import paged

DAYS_LIMIT = 1_830
"""Five years."""

EARLIEST, LATEST = date(2000, 1, 1), date(2999, 12, 30)
PARTS_LIMIT = 400

UNSOLD_DAYS = 90

Kind = tuple[Selection, Grouping]


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One line of a report: about a product, a category with everything below it, or everything (0)."""

    selection: Selection
    grouping: Grouping
    id: int
    subject: Product | Category | None = None

    @property
    def kind(self) -> Kind:
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


class ProductReport(ReportLine):
    """The line about everything, from which the others are reached."""


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
    """How products do: from being looked at to being sent back. Cancelled orders do not count.

    first_day: the first day, in the shop's time zone
    last_day: the last day; it is included
    filter: which products; all of them without it
    """
    if last_day < first_day:
        raise Invalid("The report ends before it begins.", field=("to",))
    days = Days(first_day, last_day)
    if len(days) > DAYS_LIMIT or first_day < EARLIEST or last_day > LATEST:
        raise LimitReached(f"At most {DAYS_LIMIT:,} days of this millennium.", field=("to",))
    chosen = filter or ReportFilter()
    category = await chosen_category(info, chosen.category)
    selection = Selection(
        days,
        info.context.shop.settings.zone,
        category.path if category else None,
        category.id if category else None,
        chosen_products(chosen),
    )
    return ProductReport(selection, Grouping.ALL, 0)


async def chosen_category(info: Info, named: str | None) -> Category | None:
    if named is None:
        return None
    by_slug = parse_id(named) is None
    category = await named_category(info, named, by_slug=by_slug)
    if category is None:
        raise NotFound("category", field=("filter", "category"))
    return category


def chosen_products(chosen: ReportFilter) -> tuple[int, ...] | None:
    if chosen.product_ids is None:
        return None
    if len(chosen.product_ids) > PAGE_LIMIT:
        raise LimitReached(f"At most {PAGE_LIMIT} products at once.", field=("filter", "product_ids"))
    return tuple(row_id(each, "Product", field=("filter", "product_ids")) for each in chosen.product_ids)


async def report_figures(lines: Sequence[ReportLine], info: Info) -> Sequence[Figures]:
    """What happened over all days."""
    reads = info.context.shop.database.reads
    found = {
        kind: await figures_of(reads, *kind, [line.id for line in some])
        for kind, some in alike(lines).items()
    }
    return [found[line.kind][line.id] for line in lines]


async def report_parts(
    lines: Sequence[ReportLine], info: Info, interval: ReportInterval
) -> Sequence[Sequence[Part]]:
    """What happened over time.

    interval: how the days are put together
    """
    if any(len(parts(line.selection.days, interval)) > PARTS_LIMIT for line in lines):
        raise LimitReached(f"Over time there are at most {PARTS_LIMIT} parts.", field=("interval",))
    reads = info.context.shop.database.reads
    found = {
        kind: await parts_of(reads, *kind, [line.id for line in some], interval)
        for kind, some in alike(lines).items()
    }
    return [found[line.kind][line.id] for line in lines]


def alike(lines: Sequence[ReportLine]) -> Mapping[Kind, Sequence[ReportLine]]:
    """Lines of one report and one grouping are added up together."""
    found: defaultdict[Kind, list[ReportLine]] = defaultdict(list)
    for line in lines:
        found[line.kind].append(line)
    return found


async def report_funnel(reports: Sequence[ProductReport], info: Info) -> Sequence[Sequence[FunnelStep]]:
    """How many come one step further: from looking to having."""
    return [await funnel(info.context.shop.database.reads, report.selection) for report in reports]


async def report_products(
    reports: Sequence[ProductReport],
    info: Info,
    sort: ReportMeasure = ReportMeasure.UNITS,
    ascending: bool = False,
    first: int = PAGE_DEFAULT,
    after: str | None = None,
) -> Sequence[Page[ProductLine]]:
    """The products one by one.

    sort: by which figure
    ascending: the least first
    first: how many, at most 100
    after: the cursor of the last one seen
    """
    return [
        await lines_of(info, report, Grouping.PRODUCT, ProductLine, sort, ascending, first, after)
        for report in reports
    ]


async def report_categories(
    reports: Sequence[ProductReport],
    info: Info,
    sort: ReportMeasure = ReportMeasure.UNITS,
    ascending: bool = False,
    first: int = PAGE_DEFAULT,
    after: str | None = None,
) -> Sequence[Page[CategoryLine]]:
    """The categories right below the one chosen (the roots where none is), each with everything below it.

    sort: by which figure
    ascending: the least first
    first: how many, at most 100
    after: the cursor of the last one seen
    """
    return [
        await lines_of(info, report, Grouping.CATEGORY, CategoryLine, sort, ascending, first, after)
        for report in reports
    ]


async def lines_of(
    info: Info,
    report: ProductReport,
    grouping: Grouping,
    kind: type[ReportLine],
    measure: ReportMeasure,
    ascending: bool,
    first: int,
    after: str | None,
) -> Page[Any]:
    wanted, sort = ranked(
        report.selection, grouping, measure, ascending=ascending, currency=info.context.viewer.currency
    )

    def shape(subject: Any) -> ReportLine:
        return kind(report.selection, grouping, subject.id, subject)

    return await paged(info, wanted, sort, first=first, after=after, shape=shape)


async def report_dead_stock(
    reports: Sequence[ProductReport],
    info: Info,
    unsold_days: int = UNSOLD_DAYS,
    first: int = PAGE_DEFAULT,
    after: str | None = None,
) -> Sequence[Page[DeadStock]]:
    """What lies in the warehouses and nobody has ordered lately, the most valuable first; as of now.

    unsold_days: for how many days nobody has ordered it
    first: how many, at most 100
    after: the cursor of the last one seen
    """
    if not 1 <= unsold_days <= DAYS_LIMIT:
        raise Invalid(f"From 1 to {DAYS_LIMIT:,} days.", field=("unsold_days",))
    now, currency = info.context.now, info.context.viewer.currency

    def shape(variant: Any, on_hand: int, amount: int | None, last_sold_at: datetime | None) -> DeadStock:
        return DeadStock(variant, on_hand, amount, last_sold_at, currency, now)

    pages = []
    for report in reports:
        unsold_since = now - timedelta(days=unsold_days)
        wanted, sort = dead_stock(report.selection, currency=currency, unsold_since=unsold_since)
        pages.append(await paged(info, wanted, sort, first=first, after=after, shape=shape))
    return pages
