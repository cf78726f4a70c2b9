"""Asking slowly, beside everything else, for the pictures of the catalogue."""

import asyncio

import structlog

from domain.media import MEDIA_PATH
from domain.quality.picture_checks import (
    CheckPace,
    DuePicture,
    end_undecided_check,
    store_check,
    take_due_picture,
)
from events.types import Resources
from gateways.foreign_pictures import PictureProbe, PictureUndecided
from gateways.media import MediaUnavailable
from models import PictureFault

log = structlog.get_logger()

MINUTE_SECONDS = 60


class PictureChecker:
    """Checks one picture at a time; all processes of a shop keep its pace together.

    Pictures of the shop's own are looked for where they are stored, all others at their hosts.
    """

    def __init__(self, resources: Resources, probe: PictureProbe) -> None:
        catalog = resources.settings.catalog
        self.resources = resources
        self.probe = probe
        self.pace = CheckPace(catalog.pictures_checked_per_minute, catalog.pictures_checked_every)
        self.own_address = (resources.settings.server.public_url or "").rstrip("/") + MEDIA_PATH

    async def run(self) -> None:
        while True:
            try:
                await self.check_next()
            except Exception:
                log.exception("pictures.not_checked")
            await asyncio.sleep(MINUTE_SECONDS / self.pace.per_minute)

    async def check_next(self) -> bool:
        """Check the next picture that is due; whether there was one."""
        database, clock = self.resources.database, self.resources.clock
        async with database.writes.begin() as session:
            due = await take_due_picture(session, self.pace, now=clock())
        if due is None:
            return False
        try:
            fault = await self.find_fault(due.url)
        except (PictureUndecided, MediaUnavailable):
            async with database.writes.begin() as session:
                await end_undecided_check(session, due, now=clock())
            return True
        await self.end_check(due, fault)
        return True

    async def end_check(self, due: DuePicture, fault: PictureFault | None) -> None:
        if fault is not None:
            log.info("picture.not_reached", media=due.media_id, fault=fault)
        async with self.resources.database.writes.begin() as session:
            await store_check(session, due, fault, self.pace, now=self.resources.clock())

    async def find_fault(self, url: str) -> PictureFault | None:
        """Why a picture cannot be reached; raises PictureUndecided and MediaUnavailable."""
        for own in (MEDIA_PATH, self.own_address):
            if url.startswith(own):
                return await self.find_own_fault(url.removeprefix(own).partition("?")[0])
        return await self.probe.find_fault(url)

    async def find_own_fault(self, name: str) -> PictureFault | None:
        if "/" in name:
            raise PictureUndecided  # it is drawn, not stored
        return None if await self.resources.media.has(name) else PictureFault.NOT_FOUND
