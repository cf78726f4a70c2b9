"""Pictures of erased accounts: their files are deleted after the erasure has committed, then their rows."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from domain.media import MEDIA_PATH
from models import (
    STAFF,
    Account,
    DeliveryProof,
    DeliveryRunStop,
    Media,
    Order,
    ProductMedia,
    Shipment,
    Variant,
)
from models.sql.types import AnySelect


def select_erased_pictures(now: datetime) -> AnySelect:
    """The ids of pictures of customers whose accounts are erased, and of proofs of what they received."""
    buyer = aliased(Account)
    proves = or_(DeliveryProof.signature_id == Media.id, DeliveryProof.photo_id == Media.id)
    proof = (
        select(DeliveryProof.delivery_run_stop_id)
        .join(DeliveryRunStop, DeliveryRunStop.id == DeliveryProof.delivery_run_stop_id)
        .join(Shipment, Shipment.id == DeliveryRunStop.shipment_id)
        .join(Order, Order.id == Shipment.order_id)
        .join(buyer, buyer.id == Order.account_id)
        .where(proves, buyer.erased_at <= now)
    )
    own = and_(Account.erased_at <= now, Account.role.not_in(STAFF))
    return (
        select(Media.id)
        .join(Account, Account.id == Media.uploader_id)
        .where(or_(own, exists(proof)))
        .order_by(Media.id)
    )


async def find_erased_file(session: AsyncSession, media_id: int, *, now: datetime) -> str | None:
    """The name of the file of such a picture; None where there is none, or where another row shows it."""
    due = select_erased_pictures(now).where(Media.id == media_id).with_only_columns(Media.url)
    url = await session.scalar(due)
    if url is None or not url.startswith(MEDIA_PATH):
        return None
    others = await session.scalar(select(func.count(Media.id)).where(Media.url == url, Media.id != media_id))
    shown = await session.scalar(select(is_in_catalogue(media_id)))
    return None if others or shown else url.removeprefix(MEDIA_PATH)


async def delete_erased_picture(session: AsyncSession, media_id: int, *, now: datetime) -> None:
    """Delete the row, once its file is deleted; what the catalogue shows stays, by nobody."""
    due = select_erased_pictures(now).where(Media.id == media_id)
    if await session.scalar(due) is None:
        return
    if await session.scalar(select(is_in_catalogue(media_id))):
        await session.execute(update(Media).where(Media.id == media_id).values(uploader_id=None))
    else:
        for column in (DeliveryProof.signature_id, DeliveryProof.photo_id):
            unlinked = update(DeliveryProof).where(column == media_id).values({column: None})
            await session.execute(unlinked)
        await session.execute(delete(Media).where(Media.id == media_id))


def is_in_catalogue(media_id: int) -> ColumnElement[bool]:
    """Whether a product or a variant shows the picture, or another row of the same file."""
    own, same = aliased(Media), aliased(Media)
    rows = select(same.id).join(own, own.url == same.url).where(own.id == media_id)
    return exists().where(ProductMedia.media_id.in_(rows)) | exists().where(Variant.media_id.in_(rows))
