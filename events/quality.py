"""Assessing the quality of the catalogue, at most once for each state it is in."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.media import InvalidPicture, PictureTooLarge, read_picture
from domain.quality import QualityAssessment, assess, catalogue_state, read_catalogue
from domain.quality.pictures import find_unfingerprinted, write_fingerprints
from events.types import Clock
from gateways.media import MediaStore
from models import Media
from models.database import Database

PICTURES_BATCH = 100
"""Pictures whose fingerprints are written in one transaction."""

FRESH_FOR = timedelta(minutes=10)
"""How long an assessment is valid while the catalogue does not change: views and sales, which decide only
the order of its issues, may be so old."""

UNREADABLE = 0
"""The fingerprint of a plain surface, which resembles nothing: for what cannot be read."""


@dataclass(slots=True)
class QualityAssessor:
    """The last assessment, and the state of the catalogue that it is of."""

    database: Database
    clock: Clock
    media: MediaStore
    checks_pictures: bool = False
    """Whether pictures are checked now; what was found out before that ended is old."""

    assessment: QualityAssessment = field(init=False, default_factory=lambda: QualityAssessment(()))
    state: tuple[object, ...] = field(init=False, default=())
    assessed_at: datetime | None = field(init=False, default=None)
    lock: asyncio.Lock = field(init=False, default_factory=asyncio.Lock)

    async def assess(self) -> QualityAssessment:
        """The assessment of the catalogue as it is now; concurrent callers wait for the same one."""
        async with self.lock:
            now = self.clock()
            async with self.database.reads() as session:
                state = await catalogue_state(session)
                fresh = self.assessed_at is not None and now - self.assessed_at < FRESH_FOR
                if fresh and state == self.state:
                    return self.assessment
                catalogue = await read_catalogue(session, now=now, with_picture_checks=self.checks_pictures)
            self.assessment = await asyncio.to_thread(assess, catalogue)
            self.state, self.assessed_at = state, now
            return self.assessment

    async def fingerprint_pictures(self) -> int:
        """Compute the fingerprints of uploaded pictures that have none; returns how many."""
        count = 0
        while pictures := await self.unfingerprinted():
            fingerprints = {media.id: await self.fingerprint_of(media) for media in pictures}
            async with self.database.writes.begin() as session:
                await write_fingerprints(session, fingerprints)
            count += len(pictures)
        return count

    async def unfingerprinted(self) -> list[Media]:
        async with self.database.reads() as session:
            return [*await find_unfingerprinted(session, limit=PICTURES_BATCH)]

    async def fingerprint_of(self, media: Media) -> int:
        data = await self.media.get(media.url.rpartition("/")[2])
        try:
            return UNREADABLE if data is None else (await asyncio.to_thread(read_picture, data)).fingerprint
        except (InvalidPicture, PictureTooLarge):
            return UNREADABLE
