"""The catalogue looked through at most once for each state it is in."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select

from domain.media import HERE, NoPicture, PictureTooLarge, read_picture
from domain.quality import Assessment, assess, read_catalogue, state_of_catalogue
from models import Media

if TYPE_CHECKING:
    from events.shop import Shop

PICTURES = 100
"""Pictures looked at in one transaction."""

UNREADABLE = 0
"""The fingerprint of a plain surface, which is like nothing."""


@dataclass(slots=True)
class Assessor:
    """What was found last, and of what."""

    alone: asyncio.Lock = field(default_factory=asyncio.Lock)
    state: tuple[object, ...] = ()
    at: datetime | None = None
    found: Assessment = field(default_factory=lambda: Assessment(()))


async def assessment(shop: "Shop") -> Assessment:
    """What is to be said of the catalogue as it is now; who asks meanwhile waits for the same answer.

    Views and sales may be a little older (`quality_fresh_for`): they only say what comes first.
    """
    assessor, now = shop.assessor, shop.clock()
    async with assessor.alone:
        async with shop.database.reads() as session:
            state = await state_of_catalogue(session)
            fresh = assessor.at is not None and now - assessor.at < shop.settings.quality_fresh_for
            if fresh and state == assessor.state:
                return assessor.found
            catalogue = await read_catalogue(session, now=now)
        assessor.found = await asyncio.to_thread(assess, catalogue)
        assessor.state, assessor.at = state, now
        return assessor.found


async def look_at_pictures(shop: "Shop") -> int:
    """Take the fingerprints of our own pictures that came before there were any; how many."""
    looked_at = 0
    while rows := await unseen(shop):
        prints = {media.id: await fingerprint_of(shop, media) for media in rows}
        async with shop.database.writes.begin() as session:
            for media in await session.scalars(select(Media).where(Media.id.in_(prints))):
                media.fingerprint = prints[media.id]
        looked_at += len(rows)
    return looked_at


async def unseen(shop: "Shop") -> Sequence[Media]:
    async with shop.database.reads() as session:
        wanted = select(Media).where(Media.fingerprint.is_(None), Media.url.startswith(HERE))
        return (await session.scalars(wanted.order_by(Media.id).limit(PICTURES))).all()


async def fingerprint_of(shop: "Shop", media: Media) -> int:
    data = await shop.media.get(media.url.rpartition("/")[2])
    try:
        return UNREADABLE if data is None else (await asyncio.to_thread(read_picture, data)).fingerprint
    except (NoPicture, PictureTooLarge):
        return UNREADABLE
