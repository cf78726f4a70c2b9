"""Which pictures of the catalogue are checked, when again, and from when on they count as unreachable."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, ScalarSelect, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.quality.facts import CatalogueFacts
from domain.quality.issue import QualityIssue, QualityReason
from models import Media, PictureFault, Product, ProductMedia, ProductStatus, Variant
from models.sql.dialects import dialect_of
from text.messages import Message

FAILURES_LIMIT = 3
"""Checks that fail in a row before a picture counts as unreachable."""
RETRY_AFTER = timedelta(hours=12)
"""Between two failures that count: a host, or the shop's own line, may be away for a night."""
UNREACHABLE_CHECKED_EVERY = timedelta(days=1)

CHECK_DEADLINE = timedelta(seconds=30)
"""A check has ended by then, whatever has become of its process."""
HOST_PAUSE = timedelta(seconds=2)
"""Between two checks at one host, which are never made at once."""
RATE_PERIOD = timedelta(minutes=1)

CANDIDATES_LIMIT = 50
"""Due pictures that are looked at for one whose host has its pause behind it."""

CHECKS_LOCK = 20_261_129
"""The key of a PostgreSQL advisory lock: any number, the same in every process."""

ADDRESS_LIMIT = 200
"""Characters of an address in an issue."""


@dataclass(frozen=True, slots=True)
class CheckPace:
    """How many pictures the whole shop checks each minute, and when those it has reached are due again."""

    per_minute: int
    every: timedelta


@dataclass(frozen=True, slots=True)
class DuePicture:
    """A picture that one process is to check."""

    media_id: int
    url: str


async def take_due_picture(session: AsyncSession, pace: CheckPace, *, now: datetime) -> DuePicture | None:
    """A picture that is due, which no other process gets; None where there is none or the pace allows none.

    What the catalogue does not show is passed over and forgets what was found out about it.
    """
    await lock_picture_checks(session)
    recent = (
        await session.execute(select(Media.url, Media.checked_at).where(Media.checked_at > now - RATE_PERIOD))
    ).all()
    if len(recent) >= pace.per_minute:
        return None
    busy = {host_of(row.url) for row in recent if row.checked_at + HOST_PAUSE > now} - {""}
    for due in (Media.check_at.is_(None), Media.check_at <= now):
        statement = select(Media, is_shown()).where(due).order_by(Media.check_at, Media.id)
        statement = statement.limit(CANDIDATES_LIMIT).with_for_update(of=Media, skip_locked=True)
        for media, shown in (await session.execute(statement)).all():
            if not shown:
                pass_over(media, now + pace.every)
            elif host_of(media.url) not in busy:
                media.check_at, media.checked_at = now + RETRY_AFTER, now + CHECK_DEADLINE
                return DuePicture(media.id, media.url)
    return None


async def lock_picture_checks(session: AsyncSession) -> None:
    """One process at a time takes a picture, so that two never ask one host; SQLite has one writer anyway."""
    if dialect_of(session) == "postgresql":
        await session.execute(select(func.pg_advisory_xact_lock(CHECKS_LOCK)))


def is_shown() -> ColumnElement[bool]:
    """Whether a product that is not archived has the picture, itself or by one of its variants."""
    of_product = exists().where(
        ProductMedia.media_id == Media.id,
        Product.id == ProductMedia.product_id,
        Product.status != ProductStatus.ARCHIVED,
    )
    of_variant = exists().where(
        Variant.media_id == Media.id,
        Variant.archived_at.is_(None),
        Product.id == Variant.product_id,
        Product.status != ProductStatus.ARCHIVED,
    )
    return or_(of_product, of_variant)


def pass_over(media: Media, until: datetime) -> None:
    media.check_at, media.checked_at = until, None
    media.check_failures, media.check_fault, media.unreachable_since = 0, None, None


async def store_check(
    session: AsyncSession, due: DuePicture, fault: PictureFault | None, pace: CheckPace, *, now: datetime
) -> None:
    """Keep what a check has found out; nothing of a picture that was removed meanwhile."""
    media = await session.get(Media, due.media_id, with_for_update=True)
    if media is None:
        return
    media.checked_at, media.check_fault = now, fault
    if fault is None:
        media.check_failures, media.unreachable_since, media.check_at = 0, None, now + pace.every
        return
    media.check_failures += 1
    media.check_at = now + RETRY_AFTER
    if media.check_failures >= FAILURES_LIMIT:
        media.unreachable_since = media.unreachable_since or now
        media.check_at = now + UNREACHABLE_CHECKED_EVERY


async def end_undecided_check(session: AsyncSession, due: DuePicture, *, now: datetime) -> None:
    """Let the host be asked again; the picture has its next turn after RETRY_AFTER."""
    media = await session.get(Media, due.media_id, with_for_update=True)
    if media is not None:
        media.checked_at = now


def host_of(url: str) -> str:
    """The host that is asked for a picture; "" for the shop itself."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def show_address(url: str) -> str:
    """Host and path of a picture, without what may be a secret."""
    try:
        parts = urlsplit(url)
        return f"{parts.hostname or ''}{parts.path}"[:ADDRESS_LIMIT]
    except ValueError:
        return ""


FAULT_MESSAGES: Mapping[PictureFault, Callable[[str], Message]] = {
    PictureFault.ADDRESS: lambda address: Message(
        "The picture {address} cannot be reached: this is no address of http or https.", address=address
    ),
    PictureFault.HOST: lambda address: Message(
        "The picture {address} cannot be reached: there is no such host.", address=address
    ),
    PictureFault.PRIVATE: lambda address: Message(
        "The picture {address} cannot be reached: it is inside a private network.", address=address
    ),
    PictureFault.NO_ANSWER: lambda address: Message(
        "The picture {address} cannot be reached: its host does not answer.", address=address
    ),
    PictureFault.CERTIFICATE: lambda address: Message(
        "The picture {address} cannot be reached: its host has no valid certificate.", address=address
    ),
    PictureFault.REDIRECTS: lambda address: Message(
        "The picture {address} cannot be reached: its address leads from one to the next.", address=address
    ),
    PictureFault.NOT_FOUND: lambda address: Message(
        "The picture {address} cannot be reached: it is not there.", address=address
    ),
    PictureFault.REFUSED: lambda address: Message(
        "The picture {address} cannot be reached: its host refuses to show it.", address=address
    ),
    PictureFault.SERVER_FAULT: lambda address: Message(
        "The picture {address} cannot be reached: its host fails.", address=address
    ),
    PictureFault.NOT_A_PICTURE: lambda address: Message(
        "The picture {address} cannot be reached: what is there is no picture.", address=address
    ),
}


def find_unreachable_pictures(catalogue: CatalogueFacts) -> Iterator[QualityIssue]:
    """An issue of each picture of a product that cannot be reached."""
    for product in catalogue.products:
        for picture in product.unreachable:
            message = FAULT_MESSAGES[picture.fault](show_address(picture.url))
            yield QualityIssue(product.id, QualityReason.UNREACHABLE_PICTURE, picture.field, message)


def count_unreachable() -> Sequence[ScalarSelect[int] | ScalarSelect[datetime | None]]:
    """Values that change whenever a picture becomes unreachable or can be reached again."""
    unreachable = Media.unreachable_since.is_not(None)
    return [
        select(func.count(Media.id)).where(unreachable).scalar_subquery(),
        select(func.sum(Media.id)).where(unreachable).scalar_subquery(),
        select(func.max(Media.unreachable_since)).where(unreachable).scalar_subquery(),
    ]
