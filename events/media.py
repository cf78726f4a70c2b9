"""Uploaded pictures that nothing uses are deleted after a while."""

from domain.media import delete_unused_media, select_unused_media
from domain.picture_size import list_file_names
from events.types import Resources, Timer


async def delete_unused_picture(resources: Resources, media_id: int) -> None:
    async with resources.database.writes.begin() as session:
        name = await delete_unused_media(session, media_id, now=resources.clock())
    if name is not None:
        for file_name in list_file_names(name):
            await resources.media.delete(file_name)


UNUSED_PICTURES = Timer("media.unused", due=select_unused_media, act=delete_unused_picture)
