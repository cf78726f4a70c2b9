"""Uploaded pictures whose fingerprints are not known."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.media import MEDIA_PATH
from models import Media


async def find_unfingerprinted(session: AsyncSession, *, limit: int) -> Sequence[Media]:
    """Up to `limit` uploaded pictures without a fingerprint, the oldest first."""
    rows = await session.scalars(
        select(Media)
        .where(Media.fingerprint.is_(None), Media.url.startswith(MEDIA_PATH))
        .order_by(Media.id)
        .limit(limit)
    )
    return rows.all()


async def write_fingerprints(session: AsyncSession, fingerprints: Mapping[int, int]) -> None:
    """Store the fingerprints of pictures, by the ids of their Media."""
    for media in await session.scalars(select(Media).where(Media.id.in_(fingerprints))):
        media.fingerprint = fingerprints[media.id]
